"""The ERP bridge: reads business documents out of a company's ERP, close to real time, and loses nothing.

Words: a *source* is one connected ERP; a *stream* one kind of row of it (order lines, persons …); a *fact* such a
row in our own form; a *run* one reading of a source; a *batch* what one window of a run changed, landed in one
transaction together with its cursor; *quarantine* holds the rows that could not be converted, with the reason.

Always true: a window lands whole or not at all, whatever dies; landing it twice changes nothing; an older version
of a row never overwrites a newer one; every figure can name the batch that brought it.
"""

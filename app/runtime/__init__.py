"""Running the whole product on one machine: embedded servers, a supervisor and one public port.

Nothing in here knows the product's business. In production the same programs are run by the
operator's own service manager behind a proxy, with PostgreSQL and Redis of the operator's own.

- *embedded servers*: a real PostgreSQL and a real Valkey out of pip wheels, as child processes;
- *child*: one process the supervisor started, restarted under the same address when it dies;
- *identity*: under which user a database server runs, as PostgreSQL refuses to be root;
- *front*: the one public port, handing each connection to the api or to the gateway.

Always true: no child survives the supervisor, and secrets lie in files only their owner reads.
"""

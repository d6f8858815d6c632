"""How connectors that read row by row present themselves: what their streams are, and what was checked of them."""

from collections.abc import Callable

from erp_bridge.connectors.base import CheckReport, ConnectorError, StreamSpec
from erp_bridge.mappings.nodes import Mapping, StreamMapping


def table_spec(stream: StreamMapping, *, window_rows: int, overlap: int) -> StreamSpec:
    """The stream of a table as its mapping declares it; ``overlap`` is in units of its stamp."""
    origin = stream.origin
    return StreamSpec(
        name=stream.name,
        key=origin.key,
        stamp=origin.stamp,
        grain="table" if origin.stamp is None else "row",
        paging="keyset",
        window_rows=window_rows,
        overlap=overlap,
        deletes=origin.deletes,
    )


def checked(
    mapping: Mapping,
    *,
    sign_in: Callable[[], object],
    sample: Callable[[StreamMapping], object],
    prove_read_only: Callable[[CheckReport], object],
) -> CheckReport:
    """Sign in; where that goes well, read a sample of each stream and prove that we cannot write."""
    report = CheckReport()
    try:
        sign_in()
    except ConnectorError as failure:
        report.note("sign_in", passed=False, detail=failure.code)
        return report
    report.note("sign_in", passed=True)
    for stream in mapping.streams:
        try:
            sample(stream)
        except ConnectorError as failure:
            report.note(stream.name, passed=False, detail=str(failure))
        else:
            report.note(stream.name, passed=True)
    prove_read_only(report)
    return report

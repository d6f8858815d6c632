# Read by the commands beside it: finds Python, makes the virtual environment, or skips both.
#
# WORKSPACE_VENV    where the virtual environment is (default: .venv in the checkout)
# WORKSPACE_PYTHON  the Python to make it with

root=$(cd "$here/.." && pwd -P)
venv=${WORKSPACE_VENV:-$root/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac

find_python() {
    for candidate in ${WORKSPACE_PYTHON:+"$WORKSPACE_PYTHON"} \
        python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "workspace: Python 3.11 or newer is needed and was not found;" \
        "install it or name it in WORKSPACE_PYTHON." >&2
    return 1
}

# A copy of each installed list lies in the environment; equal lists mean nothing is to be done.
is_installed() {
    [ -x "$venv/bin/python" ] || return 1
    for list in "$@"; do
        cmp -s "$root/$list" "$venv/installed/$list" || return 1
    done
}

install() {
    if ! is_installed "$@"; then
        python=$(find_python)
        "$python" "$root/app/runtime/make_venv.py" "$root" "$venv" "$@"
    fi
    # Whatever the caller's habit: six processes that each compile all libraries anew at every
    # start would take half a minute. The checkout stays clean all the same.
    unset PYTHONDONTWRITEBYTECODE
    export PYTHONPYCACHEPREFIX="$venv/pycache"
}

#!/bin/sh
# Runs our command and what a user would take instead, in turn, on one simulated provider each, and prints what each took.
#
#     scripts/peers/run.sh [--only ours] [--setting NAME]... [--json]
#
# README.md beside this says what is measured and what each row is. PYTHON names the interpreter that peers run on; without
# it the newest one that is found. The environments of the peers are kept in PEERS_ENVIRONMENTS, target/peers-venv by default.
set -eu

cd "$(dirname "$0")/../.."

works() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1
}

# Some peers need 3.12. An interpreter of pyenv that is not the current one is found as well.
candidates="python3.14 python3.13 python3.12"
if command -v pyenv >/dev/null 2>&1; then
    candidates="$candidates $(ls -d "$(pyenv root)"/versions/3.1[2-9]*/bin/python3 2>/dev/null | tr '\n' ' ')"
fi
python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in $candidates python3; do
        if works "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ] || ! works "$python"; then
    echo "run.sh: needs Python 3.9 or later; PYTHON names one" >&2
    exit 2
fi

cargo build --release --quiet --locked --package chat-limiter-cli --bin chat-limiter
exec "$python" -B scripts/peers/compare.py \
    --binary "${CARGO_TARGET_DIR:-target}/release/chat-limiter" \
    --environments "${PEERS_ENVIRONMENTS:-target/peers-venv}" \
    "$@"

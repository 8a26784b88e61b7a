#!/usr/bin/env bash
# ablate.sh [FLAGS] CHECKPOINT: what each fusion pass is worth. See ablate.py.
exec python3 "$(dirname "$0")/ablate.py" "$@"

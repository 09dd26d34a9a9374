#!/bin/sh
# `schedule`: a run every five minutes; anything else is a command of groundswell.
[ "${1:-schedule}" = schedule ] || exec groundswell "$@"
trap 'exit 0' TERM INT
while :; do
    groundswell run --quiet --fail-on stage
    code=$?
    # 75: another run holds the lock; 2: the configuration is wrong, and waiting mends nothing
    [ "$code" -eq 2 ] && exit 2
    [ "$code" -eq 0 ] && touch .last-run
    sleep "${GROUNDSWELL_EVERY:-300}" &
    wait $!
done

#!/bin/sh
# Runs recorded batch files through the command against the simulated provider, over TCP.
#
#     scripts/corpus.sh [DIRECTORY]
#
# DIRECTORY holds batch_openai.jsonl.gz and batch_anthropic.jsonl.gz, and is ../shared/corpus where it is left out. The
# provider allows 3,000 requests and 1,000,000 tokens per minute and the command is not told. Every line has to be answered,
# with no more than one refusal for a hundred requests. Takes about three minutes: so long lasts the tokens' limit.
set -eu

cd "$(dirname "$0")/.."
corpus=${1:-../shared/corpus}
allowed_percent=1

for name in openai anthropic; do
    if [ ! -f "$corpus/batch_$name.jsonl.gz" ]; then
        echo "skipped: there is no $corpus/batch_$name.jsonl.gz"
        exit 0
    fi
done

cargo build --release --quiet --locked --package chat-limiter-cli --bin chat-limiter
command=${CARGO_TARGET_DIR:-target}/release/chat-limiter

work=$(mktemp -d)
provider=
finish() {
    if [ -n "$provider" ]; then
        kill "$provider" 2>/dev/null || true
        wait "$provider" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The first line of the provider's output is its address; reading it waits until it listens.
mkfifo "$work/address"
"$command" simulate --port 0 --requests-per-minute 3000 --tokens-per-minute 1000000 >"$work/address" 2>"$work/provider.log" &
provider=$!
read -r url <"$work/address"

# figure FILE NAME: a whole number of the run as a whole, from its summary; those of the models are further to the right.
figure() {
    sed -n "s/^  \"$2\": \([0-9]*\),\{0,1\}\$/\1/p" "$1"
}

wrong=0
for name in openai anthropic; do
    gzip -dc "$corpus/batch_$name.jsonl.gz" >"$work/$name.jsonl"
    lines=$(grep -c . "$work/$name.jsonl")
    status=0
    SIMULATED_KEY=none "$command" run "$work/$name.jsonl" --provider "$name" --base-url "$url" --api-key-env SIMULATED_KEY \
        --output "$work/$name.results" --summary "$work/$name.json" --quiet || status=$?
    answers=$(grep -c '"error":null' "$work/$name.results" || true)
    failed=$(figure "$work/$name.json" failed)
    refusals=$(figure "$work/$name.json" rate_limited)
    seconds=$(sed -n 's/^  "elapsed_seconds": \([0-9.]*\),$/\1/p' "$work/$name.json")
    echo "$name: $lines requests, $answers answers, $failed failed, $refusals refusals, $seconds s"
    if [ "$status" -ne 0 ] || [ "$answers" -ne "$lines" ] || [ "$failed" -ne 0 ]; then
        echo "$name: not every request was answered (exit status $status)"
        wrong=1
    fi
    if [ $((refusals * 100)) -gt $((lines * allowed_percent)) ]; then
        echo "$name: more than $allowed_percent % refusals"
        wrong=1
    fi
done
exit "$wrong"

#!/bin/sh
# Is a step of the working tree as fast as one of a commit?
#
#   bench/turns.sh COMMIT [OPTION...]
#
# builds both and has the benchmark measure them in turn, a process each (its --before); OPTIONs are the benchmark's, such as
# --cases 3x192x3/4@1x28:32:train:bf16 --seconds 30. Nothing else may run. Both should compute with the same kernels:
# JDK_JAVA_OPTIONS=-Dretort.kernels=..., as a run's kernels.json says.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
home=$(cd "$here/.." && pwd -P)

stop() {
    echo "turns: $1" >&2
    exit 2
}

[ $# -ge 1 ] || stop "usage: bench/turns.sh COMMIT [OPTION...]"
commit=$(git -C "$home" rev-parse --verify --quiet "$1^{commit}") || stop "$1 is no commit"
shift
. "$here/golden/checkout.sh"
checkout "$commit"
for tree in "$before" "$home"; do
    (cd "$tree" && mvn -q -B -DskipTests package) || stop "$tree was not built"
done
jar=bench/target/retort-bench.jar
exec java -jar "$home/$jar" --before "$before/$jar" --only-cases "$@"

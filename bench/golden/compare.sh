#!/bin/sh
# Does the working tree still compute, to the bit, what a commit computed?
#
#   bench/golden/compare.sh COMMIT [FOLDER]
#
# builds COMMIT (kept in bench/target/golden for the next time) and the working tree as it is, and runs on both, by the
# `retort` command on the configurations beside this script: a short training, a distillation in three stages with two feature
# losses and connectors, the same gone on with from a checkpoint in the middle of a stage, the same two on a chain with learned
# variances and a guided teacher, and samplings of all. Both compute with the same kernels on the same number of threads. What
# they write in tensors and samples is compared byte by byte: what differs is named, and the exit code is then 1; it is 2
# where something did not run. What was written stays in FOLDER, by default bench/target/golden/runs.
# Two minutes on two busy cores, beside the builds. No hash is kept, as other CPUs round otherwise.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
home=$(cd "$here/../.." && pwd -P)

stop() {
    echo "golden: $1" >&2
    exit 2
}

[ $# -ge 1 ] && [ $# -le 2 ] || stop "usage: bench/golden/compare.sh COMMIT [FOLDER]"
commit=$(git -C "$home" rev-parse --verify --quiet "$1^{commit}") || stop "$1 is no commit"
out=${2:-$home/bench/target/golden/runs}
mkdir -p "$out"
out=$(cd "$out" && pwd -P)
. "$here/checkout.sh"
checkout "$commit"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS

# retort ARGUMENT... : the command of the tree at hand, in its folder; what it says is shown only where it fails
retort() {
    if ! "$tree/retort" "$@" >said 2>&1; then
        cat said >&2
        stop "'retort $*' failed, in $PWD with $tree"
    fi
    rm said
}

# resumed NAME: the run as it was before its last checkpoint, gone on with
resumed() {
    cp -R "$1" "$1-resumed"
    rm -r "$1-resumed/model" "$(ls -d "$1-resumed"/checkpoints/[0-9]* | tail -n 1)"
    [ -n "$(ls "$1-resumed/checkpoints")" ] || stop "$1 has no earlier checkpoint to go on from"
    retort distill "$here/$1.yaml" --run "$1-resumed"
}

# built TREE: the launcher builds where sources are newer
built() {
    "$1/retort" --version >/dev/null || stop "$1 was not built"
}

# run TREE FOLDER
run() {
    tree=$1
    rm -rf "$2"
    mkdir -p "$2"
    cd "$2"
    for kind in flow ddpm; do
        retort train "$here/$kind-teacher.yaml" --run "$kind-teacher"
        retort distill "$here/$kind-student.yaml" --run "$kind-student"
        resumed "$kind-student"
        for model in teacher student; do
            retort sample "$kind-$model" --count 10 --seed 3 --batch 4 --device cpu --precision fp32 \
                --out "$kind-$model.npz"
        done
    done
    cd "$here"
}

files() {
    (cd "$1" && find -- * -name '*.safetensors' -o -name '*.npz')
}

started=$(date +%s)
echo "golden: $commit" >&2
built "$before"
built "$home"
run "$before" "$out/before"
kernels=$(sed -n 's/.*"kernels" *: *"\([^"]*\)".*/\1/p' "$out/before/flow-teacher/kernels.json")
echo "golden: the working tree, with $kernels" >&2
JDK_JAVA_OPTIONS="-Dretort.kernels=$kernels"
export JDK_JAVA_OPTIONS
run "$home" "$out/after"
unset JDK_JAVA_OPTIONS

differences=0
# same LEFT RIGHT WORDS
same() {
    if [ ! -f "$1" ] || [ ! -f "$2" ]; then
        echo "MISSING  $3"
    elif cmp -s "$1" "$2"; then
        echo "same     $3"
        return
    else
        echo "DIFFERS  $3"
        case $1 in
            *.safetensors) java "$here/Difference.java" "$1" "$2" ;;
        esac
    fi
    differences=$((differences + 1))
}

all=$({ files "$out/before" && files "$out/after"; } | sort -u)
[ -n "$all" ] || stop "nothing was written"
for file in $all; do
    same "$out/before/$file" "$out/after/$file" "$file"
done
for student in flow-student ddpm-student; do
    for file in $(cd "$out/after/$student" && find "$(ls -d checkpoints/[0-9]* | tail -n 1)" model -name '*.safetensors'); do
        same "$out/after/$student/$file" "$out/after/$student-resumed/$file" "$student/$file, never stopped and resumed"
    done
done
echo "golden: $differences files differ, after $(($(date +%s) - started)) s; they lie in $out" >&2
[ $differences = 0 ]

# Sourced by the scripts that set a commit beside the working tree: checkout COMMIT puts it, once, into bench/target/golden and
# says where in $before. $home is the working tree.
checkout() {
    before=$home/bench/target/golden/$1
    if [ ! -d "$before" ]; then
        mkdir -p "$before.part"
        git -C "$home" archive "$1" | tar -x -C "$before.part"
        mv "$before.part" "$before"
    fi
}

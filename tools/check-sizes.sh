#!/bin/sh
# Files stay small: says which Rust files are past 400 lines, and fails when one is past 600.
# A file's own `mod tests` does not count.
set -eu
cd "$(dirname "$0")/.."

find crates -name '*.rs' -exec awk '
    FNR == 1 { if (name) print lines, name; name = FILENAME; lines = 0; tests = 0 }
    /^(pub(\(.*\))? )?mod tests \{/ { tests = 1 }
    !tests { lines++ }
    END { if (name) print lines, name }
' {} + | sort -rn | awk '
    $1 > 600 { print "too long: " $2 ", " $1 " lines; 600 is the end" > "/dev/stderr"; bad = 1; next }
    $1 > 400 { print "long: " $2 ", " $1 " lines; is it one thing?" }
    END { exit bad }
'

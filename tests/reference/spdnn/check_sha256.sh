#!/usr/bin/env bash
# check_sha256.sh layers|categories TOOL SUMS FOLDER: TOOL writes files to FOLDER, and their sums must be those of SUMS.
# The categories need MNIST from ASSAY_DATA. Exits with 77, ctest's SKIP, and the reason without it.
set -euo pipefail

part=$1 tool=$2 sums=$3 folder=$4
images=()
if [ "$part" = categories ]; then
  mnist=${ASSAY_DATA:-\$ASSAY_DATA}/mnist/train-images-idx3-ubyte
  for name in "$mnist" "$mnist.gz"; do
    [ ! -f "$name" ] || images=("$name")
  done
  if [ ${#images[@]} = 0 ]; then
    echo "SKIPPED: no MNIST at $mnist.gz"
    exit 77
  fi
fi

rm -rf "$folder"
mkdir -p "$folder"
"$tool" "$folder" "${images[@]}"
wanted=$(if [ "$part" = categories ]; then cat "$sums"; else grep -v categories "$sums"; fi)
(cd "$folder" && sha256sum --check --strict - <<<"$wanted")
rm -rf "$folder"

#!/bin/sh
# Cuts the vendored fonts again, byte for byte. Needs npm and pyftsubset (fonttools, a development dependency).
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for family in serif sans; do
    mkdir "$scratch/$family"
    (cd "$scratch" && npm pack --silent "@expo-google-fonts/noto-$family-sc@0.4.3")
    tar xzf "$scratch/expo-google-fonts-noto-$family-sc-0.4.3.tgz" -C "$scratch/$family"
done
tr -d '\n' < characters.txt > "$scratch/unicodes"
cut() {  # family, weight folder of the package, font name in the package, our name
    pyftsubset "$scratch/$1/package/$2/$3_$2.ttf" --unicodes="$(cat "$scratch/unicodes")" --output-file="$4" \
        --no-hinting --notdef-outline --layout-features='' --name-IDs='*' \
        --drop-tables+=GSUB,GPOS,GDEF,vhea,vmtx,BASE,VORG,STAT,DSIG
}
cut serif 400Regular NotoSerifSC NotoSerifSC-Regular.ttf
cut serif 700Bold NotoSerifSC NotoSerifSC-Bold.ttf
cut sans 400Regular NotoSansSC NotoSansSC-Regular.ttf
sha256sum --check SHA256SUMS

#!/bin/sh
# What the tests need from the system: a browser, a CJK font and independent judges (age, qpdf, pdfsig, openssl, strace).
# As root on Debian it installs what is missing; elsewhere it says what is missing, and those tests are skipped by name.
missing=""
for pair in chromium:chromium age:age qpdf:qpdf pdfsig:poppler-utils openssl:openssl certutil:libnss3-tools strace:strace gcc:gcc; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
fc-list 2>/dev/null | grep -qi "Noto.*CJK" || missing="$missing fonts-noto-cjk"
case "$missing" in *gcc*) missing="$missing libc6-dev";; esac
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing:$missing"
  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "not on this machine:$missing (the tests that need them are skipped and named at the end)"
exit 0

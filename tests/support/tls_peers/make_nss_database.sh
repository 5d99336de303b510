#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the authority, its revocations and the good certificate of a folder that make_certificates.sh has made into a
# database as NSS wants them, FOLDER/nss.
set -euo pipefail

(($# == 1)) || {
  echo "Usage: make_nss_database.sh FOLDER" >&2
  exit 2
}
cd "$1"
mkdir nss
certutil -N -d sql:nss --empty-password
certutil -A -d sql:nss -n ca -t C,, -i ca.pem
openssl crl -in crl.pem -outform DER -out crl.der
crlutil -I -d sql:nss -i crl.der -t 1
openssl pkcs12 -export -in good.pem -inkey good.key -name good -passout pass: -out good.p12
pk12util -i good.p12 -d sql:nss -W '' >/dev/null
chmod -R a+rX nss

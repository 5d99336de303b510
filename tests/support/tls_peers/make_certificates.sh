#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what TLS peers of the tests show each other: an authority that clients trust (ca), one that they do not
# (other_ca), and under each name below a certificate with its key, NAME.pem and NAME.key. All of them are of EC keys,
# since making those takes no time.
#
#   good          valid for localhost, server.test and 127.0.0.1
#   expired       was valid last year
#   notyetvalid   will be valid next year
#   selfsigned    is its own issuer
#   unknownca     of other_ca, without it
#   otherchain    of other_ca, followed by it: the root of the chain is there and not trusted
#   wronghost     valid for elsewhere.test
#   revoked       is in crl.pem
#   client, client_expired, client_selfsigned, client_unknownca, client_revoked: the same for clients
#
# crl.pem is the list of what ca has revoked, ca_and_crl.pem has both.
set -euo pipefail

(($# == 1)) || {
  echo "Usage: make_certificates.sh FOLDER" >&2
  exit 2
}
mkdir -p "$1"
cd "$1"

readonly kOurNames=DNS:localhost,DNS:server.test,IP:127.0.0.1
readonly kOtherNames=DNS:elsewhere.test
day() { # OFFSET as date(1) takes it; the form that openssl-ca(1) takes
  date --utc --date="$1" +%Y%m%d%H%M%SZ
}

# The database of openssl-ca(1) tells the revoked from the others. Each authority has its own.
write_config() { # AUTHORITY
  mkdir "$1.issued"
  : >"$1.index"
  cat >"$1.conf" <<CONFIG
[ca]
default_ca = here
[here]
database = $1.index
new_certs_dir = $1.issued
certificate = $1.pem
private_key = $1.key
rand_serial = yes
unique_subject = no
default_md = sha256
default_crl_days = 30
policy = any
[any]
commonName = supplied
CONFIG
}

new_key() { # NAME
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
}

authority() { # NAME
  write_config "$1"
  new_key "$1"
  openssl req -x509 -new -key "$1.key" -out "$1.pem" -days 30 -subj "/CN=connscope test $1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

# A server's or client's certificate, by the names that it is valid for: clients have none.
extensions() { # NAMES
  echo basicConstraints=critical,CA:FALSE
  echo keyUsage=critical,digitalSignature
  if [[ $1 ]]; then
    echo "extendedKeyUsage=serverAuth"
    echo "subjectAltName=$1"
  else
    echo "extendedKeyUsage=clientAuth"
  fi
}

leaf() { # NAME AUTHORITY NAMES FROM UNTIL
  new_key "$1"
  openssl req -new -key "$1.key" -out "$1.csr" -subj "/CN=$1"
  openssl ca -batch -notext -config "$2.conf" -in "$1.csr" -out "$1.pem" \
    -startdate "$(day "$4")" -enddate "$(day "$5")" -extfile <(extensions "$3") 2>/dev/null
}

self_signed() { # NAME NAMES
  new_key "$1"
  openssl req -new -key "$1.key" -out "$1.csr" -subj "/CN=$1"
  openssl x509 -req -in "$1.csr" -signkey "$1.key" -days 30 -out "$1.pem" -extfile <(extensions "$2") 2>/dev/null
}

authority ca
authority other_ca

leaf good ca $kOurNames yesterday '30 days'
leaf expired ca $kOurNames '-2 years' '-1 year'
leaf notyetvalid ca $kOurNames '1 year' '2 years'
leaf wronghost ca $kOtherNames yesterday '30 days'
leaf revoked ca $kOurNames yesterday '30 days'
leaf unknownca other_ca $kOurNames yesterday '30 days'
self_signed selfsigned $kOurNames
cat unknownca.pem other_ca.pem >otherchain.pem
cp unknownca.key otherchain.key

leaf client ca '' yesterday '30 days'
leaf client_expired ca '' '-2 years' '-1 year'
leaf client_revoked ca '' yesterday '30 days'
leaf client_unknownca other_ca '' yesterday '30 days'
self_signed client_selfsigned ''

for name in revoked client_revoked; do
  openssl ca -config ca.conf -revoke "$name.pem" 2>/dev/null
done
openssl ca -config ca.conf -gencrl -out crl.pem 2>/dev/null
cat ca.pem crl.pem >ca_and_crl.pem

# Programs that give up root read them too; they guard nothing.
chmod -R a+rX .

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Becomes a client of one TLS stack, which connects to 127.0.0.1, trusts ca.pem, knows the revocations of crl.pem, and
# expects the server to be "localhost". It succeeds when an answer came.
#
# STACK is openssl, curl, curl_nss, gnutls, nss, node, go or java; VERSION is 1.2 or 1.3, and no other is offered; FOLDER
# is what make_certificates.sh has made; TIMES (1 unless it is given) how often those connect that can do it more than
# once. BUILT is the folder of the programs that the build has made.
set -euo pipefail

(($# == 5 || $# == 6)) || {
  echo "Usage: client.sh BUILT STACK VERSION PORT FOLDER [TIMES]" >&2
  exit 2
}
readonly kBuilt=$1 kStack=$2 kVersion=$3 kPort=$4 kFolder=$5 kTimes=${6:-1}
readonly kHere=${BASH_SOURCE[0]%/*}
exec </dev/null

case $kStack in
  openssl)
    exec openssl s_client -connect "127.0.0.1:$kPort" -servername localhost -"tls${kVersion/./_}" -quiet \
      -CAfile "$kFolder/ca_and_crl.pem" -crl_check -verify_hostname localhost -verify_return_error
    ;;
  curl)
    exec curl --silent --show-error --tlsv"$kVersion" --tls-max "$kVersion" --cacert "$kFolder/ca.pem" \
      --crlfile "$kFolder/crl.pem" --resolve "localhost:$kPort:127.0.0.1" "https://localhost:$kPort/[1-$kTimes]"
    ;;
  gnutls)
    exec gnutls-cli --priority="NORMAL:-VERS-ALL:+VERS-TLS$kVersion" --x509cafile="$kFolder/ca.pem" \
      --x509crlfile="$kFolder/crl.pem" --sni-hostname=localhost --verify-hostname=localhost --port="$kPort" 127.0.0.1
    ;;
  nss)
    exec tstclnt -O -h 127.0.0.1 -a localhost -p "$kPort" -d "sql:$kFolder/nss" -V "tls$kVersion:tls$kVersion"
    ;;
  curl_nss) exec "$kBuilt/curl_nss_client" "$kPort" "$kVersion" "$kFolder" "$kTimes" ;;
  node) exec node "$kHere/node_client.js" "$kPort" "$kVersion" "$kFolder" "$kTimes" ;;
  go) exec "$kBuilt/go_client" "$kPort" "$kVersion" "$kFolder" "$kTimes" ;;
  java)
    exec java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$kBuilt" JavaClient \
      "$kPort" "$kVersion" "$kFolder" "$kTimes"
    ;;
  *)
    echo "unknown stack '$kStack'" >&2
    exit 2
    ;;
esac

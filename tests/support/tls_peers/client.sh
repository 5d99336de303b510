#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Becomes a client of one TLS stack, which connects to 127.0.0.1, trusts ca.pem, knows the revocations of crl.pem, and
# expects the server to be "localhost". It succeeds when an answer came.
#
# STACK is openssl, curl, curl_nss, gnutls, nss, node, go or java; VERSION is 1.2 or 1.3, and no other is offered; FOLDER is what
# make_certificates.sh has made. CONNSCOPE_TLS_PEERS says where the programs of the build are.
set -euo pipefail

(($# == 4)) || {
  echo "Usage: client.sh STACK VERSION PORT FOLDER" >&2
  exit 2
}
readonly kStack=$1 kVersion=$2 kPort=$3 kFolder=$4
readonly kHere=${BASH_SOURCE[0]%/*} kPeers=${CONNSCOPE_TLS_PEERS:?says where the built peers are}
exec </dev/null

case $kStack in
  openssl)
    exec openssl s_client -connect "127.0.0.1:$kPort" -servername localhost -"tls${kVersion/./_}" -quiet \
      -CAfile "$kFolder/ca_and_crl.pem" -crl_check -verify_hostname localhost -verify_return_error
    ;;
  curl)
    exec curl --silent --show-error --tlsv"$kVersion" --tls-max "$kVersion" --cacert "$kFolder/ca.pem" \
      --crlfile "$kFolder/crl.pem" --resolve "localhost:$kPort:127.0.0.1" "https://localhost:$kPort/"
    ;;
  gnutls)
    exec gnutls-cli --priority="NORMAL:-VERS-ALL:+VERS-TLS$kVersion" --x509cafile="$kFolder/ca.pem" \
      --x509crlfile="$kFolder/crl.pem" --sni-hostname=localhost --verify-hostname=localhost --port="$kPort" 127.0.0.1
    ;;
  nss)
    exec tstclnt -h 127.0.0.1 -a localhost -p "$kPort" -d "sql:$kFolder/nss" -V "tls$kVersion:tls$kVersion"
    ;;
  curl_nss) exec "$kPeers/curl_nss_client" "$kPort" "$kVersion" "$kFolder" ;;
  node) exec node "$kHere/node_client.js" "$kPort" "$kVersion" "$kFolder" ;;
  go) exec "$kPeers/go_client" "$kPort" "$kVersion" "$kFolder" ;;
  java)
    exec java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$kPeers" JavaClient "$kPort" "$kVersion" "$kFolder"
    ;;
  *)
    echo "unknown stack '$kStack'" >&2
    exit 2
    ;;
esac

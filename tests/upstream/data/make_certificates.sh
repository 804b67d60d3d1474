#!/bin/sh
# Writes the test authority and its certificates, valid far into the future, and one that has expired. Needs openssl.
set -eu
cd "$(dirname "$0")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -keyout ca.key -out ca.pem \
    -subj "/CN=Suffice test authority" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj "/CN=localhost"
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 36500 -extfile ext -out server.pem
mkdir -p tmp && : >tmp/index.txt && echo 03 >tmp/serial
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=tmp/index.txt\nserial=tmp/serial\nnew_certs_dir=tmp\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >tmp/ca.cnf
openssl ca -batch -config tmp/ca.cnf -cert ca.pem -keyfile ca.key -in server.csr -extfile ext -out expired.pem -notext \
    -startdate 20200101000000Z -enddate 20200102000000Z
rm -rf tmp ext server.csr ca.key

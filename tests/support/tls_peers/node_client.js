// SPDX-License-Identifier: Apache-2.0
//
// node_client.js PORT VERSION FOLDER TIMES: a client on node's tls, with the authority and the revocations of FOLDER.
"use strict";
const fs = require("fs");
const tls = require("tls");

const [port, version, folder, times] = process.argv.slice(2);
const settings = {
  host: "127.0.0.1",
  port: Number(port),
  servername: "localhost",
  ca: fs.readFileSync(`${folder}/ca.pem`),
  crl: fs.readFileSync(`${folder}/crl.pem`),
  minVersion: `TLSv${version}`,
  maxVersion: `TLSv${version}`,
};

function fetch(left) {
  if (left === 0) return;
  let answer = "";
  const session = tls.connect(settings);
  session.on("data", (bytes) => (answer += bytes));
  session.on("error", (error) => console.error(`${error.code}: ${error.message}`));
  session.on("close", () => (answer.includes("200 OK") ? fetch(left - 1) : process.exit(1)));
}

fetch(Number(times));

#!/usr/bin/env bash
# The whole life of a contract, by stock `peer` commands and nothing else of ours: packaged, installed,
# approved, committed, called, upgraded, and the channel's configuration changed. Stock peers commit.
#
#   contract-life.sh CONTRACT.wasm
#
# PATH holds Fabric's bin/, FABRIC_CFG_PATH a core.yaml. What else there is to know of the network:
#
#   ZONE, ZONE_CA             host:port of the manager, and the PEM file of its TLS root
#   ORG1, ORG2, ORG3          host:port at which the manager speaks for each organisation
#   ORG1_MSP … ORG3_MSP       MSP directories of the organisations' administrators
#   ZONE_MSP                  MSP directory of the ordering organisation's administrator
#   PEERS                     host:port of stock peers of Org1, with blanks between
#   PEERS_CA                  PEM file of their TLS root
#   CHANNEL                   the channel's name
set -euo pipefail

code=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

export FABRIC_LOGGING_SPEC=error CORE_PEER_TLS_ENABLED=true
ordering=(-o "$ZONE" --tls --cafile "$ZONE_CA")
name=values
policy="AND('Org1MSP.peer','Org2MSP.peer')"

main() {
  package_contract "${name}_1"
  install_everywhere "${name}_1"
  refuse_early_commit
  approve_everywhere 1 "$policy" "${name}_1"
  commit 1 "$policy"
  invoke '{"function":"create","Args":["house","for sale"]}' --waitForEvent
  query house 'for sale'
  refuse_what_the_contract_refuses

  package_contract "${name}_2"
  install_everywhere "${name}_2"
  approve_everywhere 2 "OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')" "${name}_2"
  commit 2 "OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')"
  invoke '{"function":"announce","Args":["garden","let"]}' --waitForEvent
  query garden let

  read_the_channel
  change_the_batch_size 7
  invoke '{"function":"create","Args":["shed","gone"]}' --waitForEvent
  stock_peers_have_it_all
  system_contracts_say_the_same
  say 'all of it is done'
}

# A chaincode package of type wasm is made with tar, as Fabric says of all types that `peer` cannot build.
package_contract() {
  local label=$1
  cp "$code" contract.wasm
  tar czf code.tar.gz contract.wasm
  printf '{"type":"wasm","label":"%s"}' "$label" >metadata.json
  tar czf "$label.tgz" metadata.json code.tar.gz
  say "packaged $label"
}

install_everywhere() {
  local label=$1 org
  for org in 1 2 3; do
    as_admin_of "$org"
    peer lifecycle chaincode install "$label.tgz" >install.log 2>&1 || fail "$(cat install.log)"
    expect "Package ID: $(package_id "$label"), Label: $label" peer lifecycle chaincode queryinstalled
  done
  as_admin_of 1
  peer lifecycle chaincode getinstalledpackage --package-id "$(package_id "$label")" --output-directory .
  cmp "$label.tgz" "$(package_id "$label").tar.gz"
  expect 'already successfully installed' refused peer lifecycle chaincode install "$label.tgz"
  say "installed $label"
}

# One organisation's approval is no majority.
refuse_early_commit() {
  approve 1 1 "$policy" "${name}_1"
  expect_readiness 1 "$policy" 'Org1MSP: true' 'Org2MSP: false' 'Org3MSP: false'
  expect 'not agreed to by this org' refused peer lifecycle chaincode commit "${ordering[@]}" \
    $(definition 1) --signature-policy "$policy" $(endorsers 1 2)
  say 'refused to commit too early'
}

approve_everywhere() {
  local sequence=$1 policy=$2 label=$3 org
  for org in 1 2 3; do
    [[ $sequence == 1 && $org == 1 ]] || approve "$org" "$sequence" "$policy" "$label"
  done
  expect_readiness "$sequence" "$policy" 'Org1MSP: true' 'Org2MSP: true' 'Org3MSP: true'
  expect "sequence: $sequence" peer lifecycle chaincode queryapproved -C "$CHANNEL" -n "$name" --sequence "$sequence"
  say "approved sequence $sequence"
}

approve() {
  local org=$1 sequence=$2 policy=$3 label=$4
  as_admin_of "$org"
  peer lifecycle chaincode approveformyorg "${ordering[@]}" $(definition "$sequence") \
    --signature-policy "$policy" --package-id "$(package_id "$label")" >approve.log 2>&1 || fail "$(cat approve.log)"
}

expect_readiness() {
  local sequence=$1 policy=$2 line
  for line in "${@:3}"; do
    expect "$line" peer lifecycle chaincode checkcommitreadiness $(definition "$sequence") --signature-policy "$policy"
  done
}

commit() {
  local sequence=$1 policy=$2 peer
  as_admin_of 1
  peer lifecycle chaincode commit "${ordering[@]}" $(definition "$sequence") --signature-policy "$policy" \
    $(endorsers 1 2 3) >commit.log 2>&1 || fail "$(cat commit.log)"
  expect "Version: 1.0, Sequence: $sequence," peer lifecycle chaincode querycommitted -C "$CHANNEL" -n "$name"
  for peer in $PEERS; do
    wait_for_height_of "$peer"
    at_stock_peer "$peer"
    expect "Version: 1.0, Sequence: $sequence," peer lifecycle chaincode querycommitted -C "$CHANNEL" -n "$name"
  done
  as_admin_of 1
  say "committed sequence $sequence"
}

invoke() {
  local call=$1
  as_admin_of 1
  FABRIC_LOGGING_SPEC=info expect 'Chaincode invoke successful' peer chaincode invoke "${ordering[@]}" -C "$CHANNEL" -n "$name" \
    $(endorsers 1 2) -c "$call" "${@:2}"
  say "invoked $call"
}

query() {
  local key=$1 value=$2 org
  for org in 1 2 3; do
    as_admin_of "$org"
    expect "$value" peer chaincode query -C "$CHANNEL" -n "$name" -c "{\"Args\":[\"read\",\"$key\"]}"
  done
  say "queried $key"
}

refuse_what_the_contract_refuses() {
  as_admin_of 2
  expect 'There is no such key' refused peer chaincode query -C "$CHANNEL" -n "$name" -c '{"Args":["read","castle"]}'
  expect 'This key is taken' refused peer chaincode invoke "${ordering[@]}" -C "$CHANNEL" -n "$name" \
    $(endorsers 1 2) -c '{"Args":["create","house","sold"]}'
  say 'refused what the contract refuses'
}

# The ordering service's blocks, and those that an organisation's endpoint has, with codes.
read_the_channel() {
  local which
  as_admin_of 1
  for which in oldest newest config 1; do
    peer channel fetch "$which" "ordered-$which.block" -c "$CHANNEL" "${ordering[@]}" 2>/dev/null
    peer channel fetch "$which" "committed-$which.block" -c "$CHANNEL" 2>/dev/null
    test -s "ordered-$which.block" && test -s "committed-$which.block"
  done
  cmp ordered-oldest.block ordered-config.block
  expect "\"height\":" peer channel getinfo -c "$CHANNEL"
  expect "$CHANNEL" peer channel list
  say 'read the channel'
}

change_the_batch_size() {
  local count=$1
  as_admin_of_zone
  peer channel fetch config config.block -c "$CHANNEL" "${ordering[@]}" 2>/dev/null
  configtxlator proto_decode --input config.block --type common.Block --output block.json
  json block.json 'value.data.data[0].payload.data.config' >config.json
  json config.json "(value.channel_group.groups.Orderer.values.BatchSize.value.max_message_count = $count, value)" >changed.json
  configtxlator proto_encode --input config.json --type common.Config --output config.pb
  configtxlator proto_encode --input changed.json --type common.Config --output changed.pb
  configtxlator compute_update --channel_id "$CHANNEL" --original config.pb --updated changed.pb --output update.pb
  configtxlator proto_decode --input update.pb --type common.ConfigUpdate --output update.json
  json update.json "({ payload: { header: { channel_header: { channel_id: '$CHANNEL', type: 2 } }, data: { config_update: value } } })" >envelope.json
  configtxlator proto_encode --input envelope.json --type common.Envelope --output envelope.pb

  as_admin_of 1
  cp envelope.pb by-another.pb
  expect 'DENIED' refused peer channel update -f by-another.pb -c "$CHANNEL" "${ordering[@]}"
  as_admin_of_zone
  peer channel signconfigtx -f envelope.pb 2>/dev/null
  peer channel update -f envelope.pb -c "$CHANNEL" "${ordering[@]}" >update.log 2>&1 || fail "$(cat update.log)"
  # Accepted is not committed.
  eventually batch_size_is "$count"
  say 'changed the configuration'
}

batch_size_is() {
  peer channel fetch config config.block -c "$CHANNEL" "${ordering[@]}" 2>/dev/null
  configtxlator proto_decode --input config.block --type common.Block --output block.json
  [[ $(json block.json 'value.data.data[0].payload.data.config.channel_group.groups.Orderer.values.BatchSize.value.max_message_count') == "$1" ]]
}

stock_peers_have_it_all() {
  local peer
  for peer in $PEERS; do
    wait_for_height_of "$peer"
    at_stock_peer "$peer"
    peer channel fetch newest newest.block -c "$CHANNEL" 2>/dev/null
    configtxlator proto_decode --input newest.block --type common.Block --output block.json
    # TRANSACTIONS_FILTER: one byte for each transaction, 0 when it is valid.
    expect '^AA==$' json block.json 'value.metadata.metadata[2]'
  done
  say 'stock peers have it all'
}

# What is asked of qscc and cscc at a stock peer and at an organisation's endpoint has one answer.
system_contracts_say_the_same() {
  local peer txid call
  as_admin_of 1
  txid=$(transaction_id_of "$(FABRIC_LOGGING_SPEC=info peer chaincode invoke "${ordering[@]}" -C "$CHANNEL" -n "$name" \
    $(endorsers 1 2) -c '{"Args":["create","barn","red"]}' --waitForEvent 2>&1)")
  for peer in $PEERS; do
    wait_for_height_of "$peer"
    for call in "qscc GetChainInfo $CHANNEL" "qscc GetBlockByNumber $CHANNEL 1" "qscc GetTransactionByID $CHANNEL $txid" \
      "qscc GetBlockByTxID $CHANNEL $txid" "cscc GetConfigBlock $CHANNEL" "cscc GetChannels"; do
      at_stock_peer "$peer"
      system_query $call >theirs.hex
      as_admin_of 1
      system_query $call >ours.hex
      [[ -s ours.hex ]] && cmp ours.hex theirs.hex || fail "$call is answered differently"
    done
  done
  say 'system contracts say the same'
}

system_query() {
  local arguments
  arguments=$(printf ',"%s"' "${@:2}")
  peer chaincode query -C "$CHANNEL" -n "$1" -c "{\"Args\":[${arguments:1}]}" --hex
}

transaction_id_of() {
  sed -nE 's/.*txid \[([0-9a-f]{64})\] committed.*/\1/p' <<<"$1" | head -n 1
}

wait_for_height_of() {
  local peer=$1 height
  as_admin_of 1
  height=$(height)
  at_stock_peer "$peer"
  eventually height_is_at_least "$height"
}

height_is_at_least() {
  [[ $(height) -ge $1 ]]
}

height() {
  peer channel getinfo -c "$CHANNEL" 2>/dev/null | sed -nE 's/.*"height":([0-9]+).*/\1/p'
}

definition() {
  echo --channelID "$CHANNEL" --name "$name" --version 1.0 --sequence "$1"
}

endorsers() {
  local org place
  for org in "$@"; do
    place=ORG$org
    echo --peerAddresses "${!place}" --tlsRootCertFiles "$ZONE_CA"
  done
}

package_id() {
  echo "$1:$(sha256sum "$1.tgz" | cut -d' ' -f1)"
}

as_admin_of() {
  local place=ORG$1 msp=ORG$1_MSP
  export CORE_PEER_ADDRESS=${!place} CORE_PEER_TLS_ROOTCERT_FILE=$ZONE_CA
  export CORE_PEER_LOCALMSPID=Org$1MSP CORE_PEER_MSPCONFIGPATH=${!msp}
}

as_admin_of_zone() {
  export CORE_PEER_LOCALMSPID=ZoneMSP CORE_PEER_MSPCONFIGPATH=$ZONE_MSP
}

at_stock_peer() {
  as_admin_of 1
  export CORE_PEER_ADDRESS=$1 CORE_PEER_TLS_ROOTCERT_FILE=$PEERS_CA
}

# Runs a command and fails unless it does well and prints what matches.
expect() {
  local pattern=$1 printed
  printed=$("${@:2}" 2>&1) || fail "${*:2} failed: $printed"
  grep -qE -- "$pattern" <<<"$printed" || fail "${*:2} does not say '$pattern' but: $printed"
}

# Waits until a command does well.
eventually() {
  local tries
  for ((tries = 0; tries < 300; tries += 1)); do
    if "$@"; then return 0; fi
    sleep 0.2
  done
  fail "waited too long for: $*"
}

# Does well when the command does not.
refused() {
  if "$@"; then return 1; fi
}

json() {
  node -e 'const value = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const found = eval(process.argv[2]);
    console.log(typeof found === "object" ? JSON.stringify(found) : found);' "$1" "$2"
}

say() {
  echo "ok: $*"
}

fail() {
  echo "failed: $*" >&2
  exit 1
}

main

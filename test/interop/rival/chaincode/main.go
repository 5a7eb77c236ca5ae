// Values is the stock side's contract: keys that are set once. The same rules stand in
// test/wasm/contracts/values.as.ts for the zone.
package main

import (
	"fmt"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

type values struct{}

func (values) Init(shim.ChaincodeStubInterface) *peer.Response {
	return shim.Success(nil)
}

func (values) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	function, args := stub.GetFunctionAndParameters()
	switch {
	case function == "create" && len(args) == 2:
		return create(stub, args[0], args[1])
	case function == "announce" && len(args) == 2:
		if err := stub.SetEvent("announced", []byte(args[0]+"="+args[1])); err != nil {
			return shim.Error(err.Error())
		}
		return create(stub, args[0], args[1])
	case function == "read" && len(args) == 1:
		return read(stub, args[0])
	}
	return shim.Error("There is no such function.")
}

func create(stub shim.ChaincodeStubInterface, key, value string) *peer.Response {
	found, err := stub.GetState(key)
	if err != nil {
		return shim.Error(err.Error())
	}
	if found != nil {
		return shim.Error("This key is taken.")
	}
	if err := stub.PutState(key, []byte(value)); err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success([]byte(key))
}

func read(stub shim.ChaincodeStubInterface, key string) *peer.Response {
	found, err := stub.GetState(key)
	if err != nil {
		return shim.Error(err.Error())
	}
	if found == nil {
		return shim.Error("There is no such key.")
	}
	return shim.Success(found)
}

func main() {
	server := &shim.ChaincodeServer{
		CCID:     os.Getenv("CHAINCODE_ID"),
		Address:  os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:       values{},
		TLSProps: shim.TLSProperties{Disabled: true},
	}
	if err := server.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package main

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/status"
)

var failureSteps = []step{
	{"evaluate refused", func(app *application) (told, error) {
		_, err := app.contract.EvaluateTransaction("read", app.keyOf("absent"))
		return failureOf(err, true)
	}},
	{"endorse refused", func(app *application) (told, error) {
		_, err := app.contract.SubmitTransaction("create", app.keyOf("a"), "again")
		return failureOf(err, true)
	}},
	{"unknown organisation", func(app *application) (told, error) {
		arguments := client.WithArguments(app.keyOf("z"), "value z")
		_, err := app.contract.Submit("create", arguments, client.WithEndorsingOrganizations("NoneMSP"))
		return failureOf(err, true)
	}},
	{"unknown contract", func(app *application) (told, error) {
		_, err := app.network.GetContract("none").SubmitTransaction("create", app.keyOf("z"), "value z")
		return failureOf(err, false)
	}},
	{"unknown channel", func(app *application) (told, error) {
		contract := app.gateway.GetNetwork("none").GetContract(app.Contract)
		_, err := contract.SubmitTransaction("create", app.keyOf("z"), "value z")
		return failureOf(err, false)
	}},
}

// How a call to the gateway failed: addresses differ between networks, all else is compared.
func failureOf(err error, withDetails bool) (told, error) {
	if err == nil {
		return nil, errors.New("the call succeeded")
	}
	var endorse *client.EndorseError
	name := "GatewayError"
	if errors.As(err, &endorse) {
		name = "EndorseError"
	}
	var carrier interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &carrier) {
		return nil, fmt.Errorf("no gRPC status: %w", err)
	}
	failed := carrier.GRPCStatus()
	result := told{"error": name, "code": code.Code(failed.Code()).String()}
	if withDetails {
		details := []told{}
		for _, detail := range failed.Details() {
			if one, ok := detail.(*gateway.ErrorDetail); ok {
				details = append(details, told{"mspId": one.GetMspId(), "message": one.GetMessage()})
			}
		}
		result["details"] = details
	}
	return result, nil
}

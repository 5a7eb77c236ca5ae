package main

import (
	"github.com/hyperledger/fabric-gateway/pkg/client"
)

var transactionSteps = []step{
	{"submit", func(app *application) (told, error) {
		result, err := app.contract.SubmitTransaction("create", app.keyOf("a"), "value a")
		return told{"result": string(result)}, err
	}},
	{"evaluate", func(app *application) (told, error) {
		result, err := app.contract.EvaluateTransaction("read", app.keyOf("a"))
		return told{"result": string(result)}, err
	}},
	{"asynchronous", func(app *application) (told, error) {
		result, status, err := app.commit("create", "b", "value b")
		if err != nil {
			return nil, err
		}
		return told{"result": string(result), "code": status.Code.String(), "successful": status.Successful}, nil
	}},
	{"offline", offline},
	{"resubmit", resubmit},
	{"organisations", func(app *application) (told, error) {
		arguments := client.WithArguments(app.keyOf("e"), "value e")
		both := client.WithEndorsingOrganizations("Org1MSP", "Org2MSP")
		result, err := app.contract.Submit("create", arguments, both)
		return told{"result": string(result)}, err
	}},
	{"too few organisations", func(app *application) (told, error) {
		return app.codeOf("f", client.WithEndorsingOrganizations("Org1MSP"))
	}},
	{"transient", func(app *application) (told, error) {
		secret := map[string][]byte{"secret": []byte("kept from the ledger")}
		return app.codeOf("g", client.WithTransient(secret))
	}},
	{"conflict", conflict},
}

func (app *application) commit(function, key, value string, options ...client.ProposalOption) ([]byte, *client.Status, error) {
	options = append(options, client.WithArguments(app.keyOf(key), value))
	result, commit, err := app.contract.SubmitAsync(function, options...)
	if err != nil {
		return nil, nil, err
	}
	status, err := commit.Status()
	return result, status, err
}

func (app *application) codeOf(key string, option client.ProposalOption) (told, error) {
	_, status, err := app.commit("create", key, "value "+key, option)
	if err != nil {
		return nil, err
	}
	return told{"code": status.Code.String(), "successful": status.Successful}, nil
}

func offline(app *application) (told, error) {
	contract := app.keyless.GetNetwork(app.Channel).GetContract(app.Contract)
	unsigned, err := contract.NewProposal("create", client.WithArguments(app.keyOf("c"), "value c"))
	if err != nil {
		return nil, err
	}
	bytes, signature, err := signed(app, unsigned)
	if err != nil {
		return nil, err
	}
	proposal, err := app.keyless.NewSignedProposal(bytes, signature)
	if err != nil {
		return nil, err
	}
	endorsed, err := proposal.Endorse()
	if err != nil {
		return nil, err
	}
	if bytes, signature, err = signed(app, endorsed); err != nil {
		return nil, err
	}
	transaction, err := app.keyless.NewSignedTransaction(bytes, signature)
	if err != nil {
		return nil, err
	}
	submitted, err := transaction.Submit()
	if err != nil {
		return nil, err
	}
	if bytes, signature, err = signed(app, submitted); err != nil {
		return nil, err
	}
	commit, err := app.keyless.NewSignedCommit(bytes, signature)
	if err != nil {
		return nil, err
	}
	status, err := commit.Status()
	if err != nil {
		return nil, err
	}
	return told{
		"result":          string(transaction.Result()),
		"code":            status.Code.String(),
		"sameTransaction": status.TransactionID == unsigned.TransactionID(),
	}, nil
}

type signable interface {
	Bytes() ([]byte, error)
	Digest() []byte
}

func signed(app *application, message signable) (bytes, signature []byte, err error) {
	if bytes, err = message.Bytes(); err != nil {
		return nil, nil, err
	}
	signature, err = app.sign(message.Digest())
	return bytes, signature, err
}

func resubmit(app *application) (told, error) {
	transaction, err := app.endorsed("d")
	if err != nil {
		return nil, err
	}
	var codes []string
	var blocks []uint64
	for range 2 {
		status, err := submitted(transaction)
		if err != nil {
			return nil, err
		}
		codes = append(codes, status.Code.String())
		blocks = append(blocks, status.BlockNumber)
	}
	return told{"codes": codes, "sameBlock": blocks[0] == blocks[1]}, nil
}

func conflict(app *application) (told, error) {
	var transactions []*client.Transaction
	for range 2 {
		transaction, err := app.endorsed("h")
		if err != nil {
			return nil, err
		}
		transactions = append(transactions, transaction)
	}
	var codes []string
	for _, transaction := range transactions {
		status, err := submitted(transaction)
		if err != nil {
			return nil, err
		}
		codes = append(codes, status.Code.String())
	}
	return told{"codes": codes}, nil
}

func (app *application) endorsed(key string) (*client.Transaction, error) {
	proposal, err := app.contract.NewProposal("create", client.WithArguments(app.keyOf(key), "value "+key))
	if err != nil {
		return nil, err
	}
	return proposal.Endorse()
}

func submitted(transaction *client.Transaction) (*client.Status, error) {
	commit, err := transaction.Submit()
	if err != nil {
		return nil, err
	}
	return commit.Status()
}

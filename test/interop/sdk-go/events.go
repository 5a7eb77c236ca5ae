package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

var eventSteps = []step{
	{"contract events", contractEvents},
	{"future events", futureEvents},
	{"blocks", blocks},
}

const streamWaitMax = time.Minute

func contractEvents(app *application) (told, error) {
	ctx, cancel := context.WithTimeout(context.Background(), streamWaitMax)
	defer cancel()
	checkpoint := &client.InMemoryCheckpointer{}
	first, err := app.announce("event 1")
	if err != nil {
		return nil, err
	}
	from := []client.ChaincodeEventsOption{client.WithCheckpoint(checkpoint), client.WithStartBlock(first.BlockNumber)}
	before, err := app.take(ctx, 1, from...)
	if err != nil {
		return nil, err
	}
	checkpoint.CheckpointChaincodeEvent(before[0])
	for _, name := range []string{"event 2", "event 3"} {
		if _, err := app.announce(name); err != nil {
			return nil, err
		}
	}
	after, err := app.take(ctx, 2, client.WithCheckpoint(checkpoint))
	if err != nil {
		return nil, err
	}
	return told{
		"first":           toldEvent(before[0]),
		"sameTransaction": before[0].TransactionID == first.TransactionID,
		"resumed":         []told{toldEvent(after[0]), toldEvent(after[1])},
	}, nil
}

func futureEvents(app *application) (told, error) {
	ctx, cancel := context.WithTimeout(context.Background(), streamWaitMax)
	defer cancel()
	events, err := app.network.ChaincodeEvents(ctx, app.Contract)
	if err != nil {
		return nil, err
	}
	keys := []string{"event 4", "event 5", "event 6"}
	for _, key := range keys {
		if _, err := app.announce(key); err != nil {
			return nil, err
		}
	}
	event, open := <-events
	if !open {
		return nil, fmt.Errorf("the stream ended")
	}
	ours := slices.ContainsFunc(keys, func(key string) bool {
		return string(event.Payload) == app.keyOf(key)+"="+key
	})
	return told{"name": event.EventName, "ours": ours}, nil
}

func blocks(app *application) (told, error) {
	ctx, cancel := context.WithTimeout(context.Background(), streamWaitMax)
	defer cancel()
	status, err := app.announce("event 7")
	if err != nil {
		return nil, err
	}
	from := client.WithStartBlock(status.BlockNumber)
	whole, err := app.network.BlockEvents(ctx, from)
	if err != nil {
		return nil, err
	}
	filtered, err := app.network.FilteredBlockEvents(ctx, from)
	if err != nil {
		return nil, err
	}
	withPrivate, err := app.network.BlockAndPrivateDataEvents(ctx, from)
	if err != nil {
		return nil, err
	}
	return toldBlocks(app, status, <-whole, <-filtered, <-withPrivate)
}

func toldBlocks(app *application, status *client.Status, block *common.Block, filtered *peer.FilteredBlock, private *peer.BlockAndPrivateData) (told, error) {
	metadata := block.GetMetadata().GetMetadata()
	if len(metadata) <= int(common.BlockMetadataIndex_TRANSACTIONS_FILTER) {
		return nil, fmt.Errorf("%d metadata entries", len(metadata))
	}
	var codes []int
	for _, code := range metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] {
		codes = append(codes, int(code))
	}
	at := slices.IndexFunc(filtered.GetFilteredTransactions(), func(one *peer.FilteredTransaction) bool {
		return one.GetTxid() == status.TransactionID
	})
	if at < 0 {
		return nil, fmt.Errorf("the transaction is not in its block")
	}
	one := filtered.GetFilteredTransactions()[at]
	event := one.GetTransactionActions().GetChaincodeActions()[0].GetChaincodeEvent()
	return told{
		"number":               block.GetHeader().GetNumber() == status.BlockNumber,
		"codes":                codes,
		"metadataEntries":      len(metadata),
		"filteredChannel":      filtered.GetChannelId() == app.Channel,
		"filteredCode":         int(one.GetTxValidationCode()),
		"filteredType":         int(one.GetType()),
		"filteredEvent":        event.GetEventName(),
		"filteredPayloadBytes": len(event.GetPayload()),
		"samePrivateBlock":     bytes.Equal(private.GetBlock().GetHeader().GetDataHash(), block.GetHeader().GetDataHash()),
		"privateSets":          len(private.GetPrivateDataMap()),
	}, nil
}

func (app *application) announce(name string) (*client.Status, error) {
	_, status, err := app.commit("announce", name, name)
	if err == nil && !status.Successful {
		err = fmt.Errorf("not committed: %s", status.Code)
	}
	return status, err
}

func (app *application) take(ctx context.Context, count int, options ...client.ChaincodeEventsOption) ([]*client.ChaincodeEvent, error) {
	streaming, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := app.network.ChaincodeEvents(streaming, app.Contract, options...)
	if err != nil {
		return nil, err
	}
	var taken []*client.ChaincodeEvent
	for event := range events {
		if taken = append(taken, event); len(taken) == count {
			return taken, nil
		}
	}
	return nil, fmt.Errorf("the stream ended after %d events", len(taken))
}

func toldEvent(event *client.ChaincodeEvent) told {
	return told{"name": event.EventName, "payload": string(event.Payload), "contract": event.ChaincodeName}
}

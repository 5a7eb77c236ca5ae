// Command config-oracle says what Fabric itself makes of configuration updates.
//
// It reads JSON objects, one a line, and answers each with one. Byte fields are base64.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/golang/protobuf/proto"
	cb "github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric/bccsp/factory"
	"github.com/hyperledger/fabric/bccsp/utils"
	"github.com/hyperledger/fabric/common/channelconfig"
	"github.com/hyperledger/fabric/orderer/common/localconfig"
	"github.com/hyperledger/fabric/orderer/common/msgprocessor"
	"github.com/hyperledger/fabric/orderer/common/multichannel"
	"github.com/hyperledger/fabric/protoutil"
)

type question struct {
	Channel string `json:"channel"`
	// common.Config in force.
	Config []byte `json:"config"`
	// common.Envelope of type CONFIG_UPDATE: an orderer is asked.
	Update []byte `json:"update"`
	// common.ConfigEnvelope of a block: a peer is asked.
	Result []byte `json:"result"`
	// The orderer's own identity.
	Signer []byte `json:"signer"`
	KeyPem string `json:"keyPem"`
}

type answer struct {
	Good bool `json:"good"`
	// common.Config after the update, when it is good.
	Config []byte `json:"config,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	decoder := json.NewDecoder(in)
	for decoder.More() {
		var asked question
		if err := decoder.Decode(&asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		config, err := judge(asked)
		said := answer{Good: err == nil, Config: config}
		if err != nil {
			said.Reason = err.Error()
		}
		if err := out.Encode(said); err != nil {
			os.Exit(1)
		}
	}
}

// judge also turns a panic into a refusal: Fabric has some, and they are verdicts too.
func judge(asked question) (config []byte, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			config, err = nil, fmt.Errorf("panic: %v", caught)
		}
	}()
	current := &cb.Config{}
	if err := proto.Unmarshal(asked.Config, current); err != nil {
		return nil, err
	}
	bundle, err := channelconfig.NewBundle(asked.Channel, current, factory.GetDefault())
	if err != nil {
		return nil, fmt.Errorf("the configuration in force: %w", err)
	}
	if asked.Result != nil {
		return nil, applyAsPeer(bundle, asked)
	}
	return orderUpdate(bundle, asked)
}

// applyAsPeer does what core/peer/channel.go, Apply, does.
func applyAsPeer(bundle *channelconfig.Bundle, asked question) error {
	result := &cb.ConfigEnvelope{}
	if err := proto.Unmarshal(asked.Result, result); err != nil {
		return err
	}
	if err := bundle.ConfigtxValidator().Validate(result); err != nil {
		return err
	}
	next, err := channelconfig.NewBundle(asked.Channel, result.Config, factory.GetDefault())
	if err != nil {
		return err
	}
	if err := bundle.ValidateNew(next); err != nil {
		return err
	}
	application, ok := next.ApplicationConfig()
	if !ok {
		return errors.New("no application configuration")
	}
	if err := application.Capabilities().Supported(); err != nil {
		return err
	}
	return next.ChannelConfig().Capabilities().Supported()
}

// orderUpdate sends the update through an orderer's own processor.
func orderUpdate(bundle *channelconfig.Bundle, asked question) ([]byte, error) {
	update := &cb.Envelope{}
	if err := proto.Unmarshal(asked.Update, update); err != nil {
		return nil, err
	}
	header, err := protoutil.ChannelHeader(update)
	if err != nil {
		return nil, err
	}
	if header.ChannelId != asked.Channel {
		return nil, errors.New("another channel")
	}
	if header.Type != int32(cb.HeaderType_CONFIG_UPDATE) {
		return nil, errors.New("no configuration update")
	}
	key, err := readKey(asked.KeyPem)
	if err != nil {
		return nil, err
	}
	support := &channelSupport{
		ChainSupport: &multichannel.ChainSupport{SignerSerializer: &signer{key, asked.Signer}},
		bundle:       bundle,
		channel:      asked.Channel,
	}
	filters := msgprocessor.CreateStandardChannelFilters(bundle, localconfig.TopLevel{})
	processor := msgprocessor.NewStandardChannel(support, filters, factory.GetDefault())
	made, _, err := processor.ProcessConfigUpdateMsg(update)
	if err != nil {
		return nil, err
	}
	result := &cb.ConfigEnvelope{}
	if _, err := protoutil.UnmarshalEnvelopeOfType(made, cb.HeaderType_CONFIG, result); err != nil {
		return nil, err
	}
	return proto.Marshal(result.Config)
}

// channelSupport is what an orderer's processor asks of its channel. The type of a signer is
// internal to Fabric: only the orderer's own struct can hand one out.
type channelSupport struct {
	*multichannel.ChainSupport
	bundle  *channelconfig.Bundle
	channel string
}

func (s *channelSupport) ChannelID() string { return s.channel }

func (s *channelSupport) Sequence() uint64 { return s.bundle.ConfigtxValidator().Sequence() }

func (s *channelSupport) OrdererConfig() (channelconfig.Orderer, bool) {
	return s.bundle.OrdererConfig()
}

// ProposeConfigUpdate does what the orderer's ChainSupport does, without the rules of raft's own
// consenters: no raft runs on a channel of the zone.
func (s *channelSupport) ProposeConfigUpdate(update *cb.Envelope) (*cb.ConfigEnvelope, error) {
	made, err := s.bundle.ConfigtxValidator().ProposeConfigUpdate(update)
	if err != nil {
		return nil, err
	}
	next, err := channelconfig.NewBundle(s.channel, made.Config, factory.GetDefault())
	if err != nil {
		return nil, err
	}
	orderer, ok := next.OrdererConfig()
	if !ok {
		return nil, errors.New("no orderer configuration")
	}
	if err := orderer.Capabilities().Supported(); err != nil {
		return nil, err
	}
	if err := next.ChannelConfig().Capabilities().Supported(); err != nil {
		return nil, err
	}
	return made, s.bundle.ValidateNew(next)
}

type signer struct {
	key      *ecdsa.PrivateKey
	identity []byte
}

func (s *signer) Serialize() ([]byte, error) { return s.identity, nil }

func (s *signer) Sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	signature, err := ecdsa.SignASN1(rand.Reader, s.key, digest[:])
	if err != nil {
		return nil, err
	}
	return utils.SignatureToLowS(&s.key.PublicKey, signature)
}

func readKey(text string) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	found, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("no ECDSA key")
	}
	return found, nil
}

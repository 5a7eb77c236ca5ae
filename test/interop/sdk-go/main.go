// An application on Fabric's Go SDK: runs the steps of the Node one and prints one JSON line each.
package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

type profile struct {
	Endpoint        string `json:"endpoint"`
	TLSRootFile     string `json:"tlsRootFile"`
	Channel         string `json:"channel"`
	Contract        string `json:"contract"`
	MspID           string `json:"mspid"`
	CertificateFile string `json:"certificateFile"`
	KeyFile         string `json:"keyFile"`
}

type application struct {
	profile
	run      string
	gateway  *client.Gateway
	network  *client.Network
	contract *client.Contract
	// A gateway of the same identity that has no key: what it sends was signed elsewhere.
	keyless *client.Gateway
	sign    identity.Sign
}

// What a step prints.
type told map[string]any

type step struct {
	name string
	work func(*application) (told, error)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: %s PROFILE.json RUN", os.Args[0])
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	app := &application{run: os.Args[2]}
	if err := json.Unmarshal(text, &app.profile); err != nil {
		return err
	}
	connection, err := app.connect()
	if err != nil {
		return err
	}
	defer connection.Close()
	defer app.gateway.Close()
	defer app.keyless.Close()
	for _, steps := range [][]step{transactionSteps, eventSteps, failureSteps} {
		for _, one := range steps {
			result, err := one.work(app)
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			result["step"] = one.name
			line, err := json.Marshal(result)
			if err != nil {
				return err
			}
			fmt.Println(string(line))
		}
	}
	return nil
}

func (app *application) connect() (*grpc.ClientConn, error) {
	root, err := os.ReadFile(app.TLSRootFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	transport := credentials.NewClientTLSFromCert(roots, "")
	connection, err := grpc.NewClient(app.Endpoint, grpc.WithTransportCredentials(transport))
	if err != nil {
		return nil, err
	}
	id, err := app.identity()
	if err != nil {
		return nil, err
	}
	over := client.WithClientConnection(connection)
	if app.gateway, err = client.Connect(id, client.WithSign(app.sign), over); err != nil {
		return nil, err
	}
	if app.keyless, err = client.Connect(id, over); err != nil {
		return nil, err
	}
	app.network = app.gateway.GetNetwork(app.Channel)
	app.contract = app.network.GetContract(app.Contract)
	return connection, nil
}

func (app *application) identity() (*identity.X509Identity, error) {
	certificatePem, err := os.ReadFile(app.CertificateFile)
	if err != nil {
		return nil, err
	}
	certificate, err := identity.CertificateFromPEM(certificatePem)
	if err != nil {
		return nil, err
	}
	keyPem, err := os.ReadFile(app.KeyFile)
	if err != nil {
		return nil, err
	}
	key, err := identity.PrivateKeyFromPEM(keyPem)
	if err != nil {
		return nil, err
	}
	if app.sign, err = identity.NewPrivateKeySign(key); err != nil {
		return nil, err
	}
	return identity.NewX509Identity(app.MspID, certificate)
}

// A key that no other run of the program uses.
func (app *application) keyOf(name string) string {
	return app.run + "/" + name
}

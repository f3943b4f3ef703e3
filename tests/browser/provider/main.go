// An OpenID provider for the tests of sign-in: the example server of zitadel/oidc, on the loopback interface alone.
//
// Its own program listens on all interfaces. Environment: PORT, REDIRECT_URI (comma between several), USERS_FILE.
package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/config"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

func main() {
	settings := config.FromEnvVars(nil)
	users, err := storage.StoreFromFile(settings.UsersFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	storage.RegisterClients(storage.WebClient("web", "secret", settings.RedirectURI...))
	issuer := fmt.Sprintf("http://localhost:%s/", settings.Port)
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	router := exampleop.SetupServer(issuer, storage.NewStorage(users), logger, false)
	fmt.Fprintln(os.Stderr, http.ListenAndServe(net.JoinHostPort("127.0.0.1", settings.Port), router))
	os.Exit(1)
}

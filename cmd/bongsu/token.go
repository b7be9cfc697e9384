package main

import (
	"fmt"
	"io"
	"strings"

	"bongsu/api"
)

type tokenCmd struct {
	Create   tokenCreateCmd   `cmd:"" help:"Make a token for a machine; its secret is shown once."`
	List     tokenListCmd     `cmd:"" help:"The tokens, without their secrets."`
	Withdraw tokenWithdrawCmd `cmd:"" help:"Withdraw a token at once."`
}

type tokenCreateCmd struct {
	Name  string   `arg:"" help:"What will use it: \"core banking\", \"deposit service\"."`
	Scope []string `default:"screen" help:"What it may do: screen, read, write, admin." placeholder:"SCOPE"`
	Quota int      `help:"Screened values a minute; 0 is without limit."`
}

func (tokenCreateCmd) Help() string {
	return `Example:
  bongsu token create "deposit service" --scope screen --quota 600000
  curl -H "Authorization: Bearer TOKEN" -H "Content-Type: application/json" -d '{"values":["0x..."]}' http://127.0.0.1:8420/api/v1/screen`
}

func (c *tokenCreateCmd) Run(a *app) error {
	tokens, err := a.tokens()
	if err != nil {
		return err
	}
	info := api.TokenInfo{Name: c.Name, Quota: c.Quota, By: a.config.User}
	for _, s := range c.Scope {
		info.Scopes = append(info.Scopes, api.Scope(s))
	}
	secret, made, err := tokens.Create(info)
	if err != nil {
		return err
	}
	return a.print(map[string]any{"token": secret, "id": made.ID, "scopes": made.Scopes}, func(w io.Writer) {
		fmt.Fprintf(w, "Token %s for %q. Its secret, shown only now:\n%s\n", made.ID, made.Name, secret)
	})
}

type tokenListCmd struct{}

func (tokenListCmd) Help() string {
	return `Example:
  bongsu token list`
}

func (c *tokenListCmd) Run(a *app) error {
	tokens, err := a.tokens()
	if err != nil {
		return err
	}
	list, err := tokens.List()
	if err != nil {
		return err
	}
	return a.print(map[string]any{"tokens": nonNil(list)}, func(w io.Writer) {
		for _, t := range list {
			var scopes []string
			for _, s := range t.Scopes {
				scopes = append(scopes, string(s))
			}
			fmt.Fprintf(w, "%s  %-24s %s, quota %d, since %s\n", t.ID, t.Name, strings.Join(scopes, ","), t.Quota, t.Created.Format("2006-01-02"))
		}
	})
}

type tokenWithdrawCmd struct {
	ID string `arg:"" help:"The token's id, as token list shows it."`
}

func (tokenWithdrawCmd) Help() string {
	return `Example:
  bongsu token withdraw ID`
}

func (c *tokenWithdrawCmd) Run(a *app) error {
	tokens, err := a.tokens()
	if err != nil {
		return err
	}
	if err := tokens.Withdraw(c.ID); err != nil {
		return err
	}
	return a.print(map[string]any{"withdrawn": c.ID}, func(w io.Writer) { fmt.Fprintf(w, "%s is withdrawn\n", c.ID) })
}

func (a *app) tokens() (*api.Tokens, error) {
	if err := a.needNode("token"); err != nil {
		return nil, err
	}
	return api.OpenTokens(a.path("tokens.json"), a.now)
}

package share

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
)

// Config is what a Service is made of.
type Config struct {
	Journal *journal.Journal // opened with View among its views
	View    *View            // that view
	Keys    *identity.Keys
	Clock   func() time.Time // time.Now
	Logger  *slog.Logger     // slog.Default
	Listen  string           // host:port to listen on in Run; "" does not listen
	// Listener is listened on instead of Listen when it is given.
	Listener net.Listener
	// Address is how partners reach this node, host:port; "" takes Listen's.
	Address string
	// DialOut says that partners cannot connect to this node: it connects to
	// them, for both directions on one connection.
	DialOut bool
	// AllowNets are the private, loopback and link-local ranges where partners
	// may be. A node that itself listens on loopback may reach loopback.
	AllowNets []netip.Prefix
	Limits    Limits
	// OnEvent, when given, is told of what a page may show at once. It must
	// not block.
	OnEvent func(Event)
}

// Event is one thing that just happened.
type Event struct {
	Kind      string         // "receipt", "arrived", "partner", "agreement", "fault"
	Partner   identity.OrgID //
	Statement string         // STIX id, or ""
	State     string         // of the receipt or the agreement
	Why       string         // for a fault
	At        time.Time      //
	Ms        float64        // for receipts, as Receipt.Ms
}

// Service shares one node's statements. Its methods may be called from any
// goroutine, with or without Run.
type Service struct{}

// New makes a service. Nothing runs and nothing is listened on before Run.
func New(cfg Config) (*Service, error) { return nil, todo() }

// Run listens, reads every partner's feeds, fills the own ones, delivers
// agreements and writes receipts, until ctx ends. It returns nil then, or the
// reason why it cannot run (a port that is taken). A partner that fails is
// tried again, ever more slowly, up to once in 30 s.
func (s *Service) Run(ctx context.Context) error { return todo() }

// Addr is the address listened on, once Run listens; nil before.
func (s *Service) Addr() net.Addr { return nil }

// Invite makes an invitation for one partner: a one-time text to hand over by
// a channel that both trust, valid for Limits.InviteLife. address is how the
// partner reaches this node; "" takes Config.Address.
func (s *Service) Invite(ctx context.Context, address string) (Invitation, error) {
	return Invitation{}, todo()
}

// Join accepts an invitation: it connects to the inviting node, checks that it
// is who the invitation says, and makes the two partners of each other.
// Compare Partner.Fingerprint by voice afterwards.
func (s *Service) Join(ctx context.Context, text string) (Partner, error) { return Partner{}, todo() }

// Partners lists the partners by name.
func (s *Service) Partners(ctx context.Context) ([]Partner, error) { return nil, todo() }

// Partner finds one partner by id, by name (whatever case), or by an unambiguous start of either.
func (s *Service) Partner(ctx context.Context, name string) (Partner, error) {
	return Partner{}, todo()
}

// Leave ends a partnership: nothing passes any more in either direction.
func (s *Service) Leave(ctx context.Context, partner, actor string) error { return todo() }

// Ping asks a partner's node for a sign of life.
func (s *Service) Ping(ctx context.Context, partner string) (Pong, error) { return Pong{}, todo() }

// Proposal says what to propose: a built-in template, its terms changed where
// a field is given.
type Proposal struct {
	Partner    string        // as Service.Partner reads it
	Template   string        // "threat-sharing" when empty
	Title      string        // "" takes the template's
	ValidFrom  time.Time     // zero: now
	ValidFor   time.Duration // zero: one year
	HighestTLP string        // "" takes the template's
	Kinds      []string
	Purposes   []string
	LegalBasis []string
	Onward     agreement.Onward
	Retention  int    // days; 0 takes the template's
	Policies   string // own Cedar text; "" writes it from the terms
	Words      string // plain words; "" writes them from the terms; needed with Policies
	Actor      string
}

// Propose makes an agreement, signs it, and sends it to the partner, at once
// when it answers, else as soon as it does while Run runs.
func (s *Service) Propose(ctx context.Context, p Proposal) (Terms, error) { return Terms{}, todo() }

// Sign countersigns an agreement that a partner proposed and sends it back.
// id is its id or an unambiguous start of it (with or without the type).
func (s *Service) Sign(ctx context.Context, id, actor string) (Terms, error) { return Terms{}, todo() }

// End ends an agreement at once and tells the partner.
func (s *Service) End(ctx context.Context, id, reason, actor string) (Terms, error) {
	return Terms{}, todo()
}

// Agreements lists all agreements, newest first.
func (s *Service) Agreements(ctx context.Context) ([]Terms, error) { return nil, todo() }

// Show returns one agreement; id as for Sign.
func (s *Service) Show(ctx context.Context, id string) (Terms, error) { return Terms{}, todo() }

// Preview answers who would see a statement of this journal: one answer for
// each agreement, the most recent first. Nothing leaves.
func (s *Service) Preview(ctx context.Context, statement string) ([]Answer, error) {
	return nil, todo()
}

// PreviewOf is Preview for a statement that is not made yet: what `agreement
// test` asks.
func (s *Service) PreviewOf(ctx context.Context, st agreement.Statement) ([]Answer, error) {
	return nil, todo()
}

// Status says for each partner what passed and what came back.
func (s *Service) Status(ctx context.Context) ([]Status, error) { return nil, todo() }

// Receipts returns what partners said of one statement, oldest first.
func (s *Service) Receipts(ctx context.Context, statement string) ([]Receipt, error) {
	return nil, todo()
}

// Revoke takes back a statement of our own: a version of it that is revoked
// goes wherever the statement went.
func (s *Service) Revoke(ctx context.Context, statement, actor string) (journal.Entry, error) {
	return journal.Entry{}, todo()
}

// Active tells the service that screening took a statement over, at now. Cheap
// and never blocking; the receipt goes out with the next ones. Statements that
// no partner sent are ignored. It is screen.Config.OnActive.
func (s *Service) Active(statement, author string) {}

// Acted tells the partner who sent a statement that something was done on it
// (a deposit stopped), or that it was removed.
func (s *Service) Acted(ctx context.Context, statement string, author identity.OrgID, state string) error {
	return todo()
}

func todo() error { return errs.New("share", errs.Internal, "", "not built yet", "") }

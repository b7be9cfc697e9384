package share

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"bongsu/errs"
)

// pull reads a partner's feed with GET until the stream ends. moved says that
// statements came.
func (s *Service) pull(ctx context.Context, l *link, id string) (moved bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	want, err := s.journal.ReceivedSize(ctx, l.peer.ID, feedOf(id))
	if err != nil {
		return false, err
	}
	quiet := time.AfterFunc(s.limits.Quiet, func() { cancel(errQuiet) })
	defer quiet.Stop()
	resp, err := l.do(ctx, http.MethodGet, fmt.Sprintf("/feed/%s?after=%d", id, want), nil)
	if err != nil {
		return false, orCause(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, problemOf(l.peer, resp, s.limits.BodyBytes)
	}
	in, err := s.reader(ctx, l.peer, id, resp.Body, func(ctx context.Context, c cosigned) error {
		return l.call(ctx, http.MethodPost, "/feed/"+id+"/cosigned", c, nil, s.limits.BodyBytes)
	})
	if err != nil {
		return false, err
	}
	defer in.close()
	err = orCause(ctx, s.streamEnd(in.read(ctx, func() { quiet.Reset(s.limits.Quiet) })))
	return in.moved, err
}

var errQuiet = errs.New("feed", errs.Unavailable, "", "the partner went silent", "the stream is taken up again")

// orCause prefers why a context was cancelled to what broke because of it.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause
	}
	return err
}

// streamEnd names the ordinary ends of a stream.
func (s *Service) streamEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return &errs.Error{Op: "feed", Kind: errs.Unavailable, Why: "the connection ended", Err: err}
	}
	return err
}

// exchangeProtocol is the upgrade by which one connection carries both
// directions: frames of HTTP's server to its client and the other way.
const exchangeProtocol = "bongsu-exchange/1"

// exchange connects out for both directions of an agreement.
func (s *Service) exchange(ctx context.Context, l *link, id string) (moved bool, err error) {
	conf, err := s.clientTLS(l.peer.org)
	if err != nil {
		return false, err
	}
	d := tls.Dialer{NetDialer: s.dialer(), Config: conf}
	dctx, cancel := context.WithTimeout(ctx, s.limits.RequestTime)
	defer cancel()
	conn, err := d.DialContext(dctx, "tcp", l.peer.Address)
	if err != nil {
		return false, connectionError(l.peer, err)
	}
	defer conn.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+l.peer.Address+"/exchange/"+id, nil)
	if err != nil {
		return false, errs.Wrap("connect", l.peer.Name, err)
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", exchangeProtocol)
	if err := conn.SetDeadline(time.Now().Add(s.limits.RequestTime)); err != nil {
		return false, connectionError(l.peer, err)
	}
	if err := req.Write(conn); err != nil {
		return false, connectionError(l.peer, err)
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return false, connectionError(l.peer, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return false, problemOf(l.peer, resp, s.limits.BodyBytes)
	}
	return s.bothWays(ctx, l.peer, id, conn, r)
}

// handleExchange is the other end of exchange.
func (s *Service) handleExchange(w http.ResponseWriter, r *http.Request, p peer) {
	id := r.PathValue("agreement")
	if r.Header.Get("Upgrade") != exchangeProtocol {
		refuse(w, errs.New("exchange", errs.Invalid, "", "only with Upgrade: "+exchangeProtocol, ""))
		return
	}
	leave, err := s.guard.stream(p.ID)
	if err != nil {
		refuse(w, err)
		return
	}
	defer leave()
	if err := s.activeWith(r.Context(), p.ID, id); err != nil {
		refuse(w, err)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, errs.Wrap("exchange", "", err))
		return
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+exchangeProtocol+"\r\n\r\n")
	if err != nil {
		return
	}
	_, err = s.bothWays(r.Context(), p, id, conn, rw.Reader)
	s.logEnd(p, id, err)
}

// bothWays runs the two feeds of an agreement on one connection. Each side
// first says from which position it wants the other's feed.
func (s *Service) bothWays(ctx context.Context, p peer, id string, conn net.Conn, r io.Reader) (moved bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return false, err
	}
	quiet := time.AfterFunc(s.limits.Quiet, func() { cancel(errQuiet) })
	defer quiet.Stop()
	out := &frameWriter{w: conn, deadline: conn.SetWriteDeadline, patience: s.limits.WriteTime}
	in, err := s.reader(ctx, p, id, r, func(_ context.Context, c cosigned) error {
		return out.write(&frame{Cosigned: &c})
	})
	if err != nil {
		return false, err
	}
	defer in.close()
	if err := out.write(&frame{Hello: &hello{Protocol: Protocol, Time: s.clock().UTC(), Want: &in.want}}); err != nil {
		return false, err
	}
	greeting, err := in.frames.next()
	switch {
	case err != nil:
		return false, orCause(ctx, s.streamEnd(err))
	case greeting.End != nil:
		return false, greeting.End.err()
	case greeting.Hello == nil || greeting.Hello.Want == nil:
		return false, errs.New("exchange", errs.Invalid, id, "the partner did not say from where it wants the feed", "")
	}
	after := *greeting.Hello.Want
	wg.Go(func() {
		err := s.mayRead(ctx, p.ID, id, after)
		if err == nil {
			err = s.sendFeed(ctx, p, id, after, out)
		} else {
			_ = out.write(endWith(err)) // the stream is over either way
		}
		cancel(err)
	})
	in.greeted = true
	err = orCause(ctx, s.streamEnd(in.read(ctx, func() { quiet.Reset(s.limits.Quiet) })))
	cancel(err)
	return in.moved || out.moved.Load(), err
}

package screen

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// hostProfile maps as browsers do (UTS 46, non-transitional) but lets pass
// what is in use though not strict: hyphens in any place, underscores.
var hostProfile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.BidiRule(),
)

func readURL(s string) (Reading, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return Reading{}, unreadable(s, "not a URL with a host")
	}
	host := u.Hostname()
	var r Reading
	if a, perr := netip.ParseAddr(host); perr == nil {
		r = ipReading(a)
	} else {
		r, err = readHost(host)
	}
	r.Alt = textKey(s) // somebody may have named this very page
	return r, err
}

// readHost reads a host name, or IPv4, with or without a port.
func readHost(s string) (Reading, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ipReading(ap.Addr()), nil
	}
	if host, port, ok := strings.Cut(s, ":"); ok {
		if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return Reading{}, unreadable(s, "neither a host name nor an account of a chain that bongsu knows")
		}
		s = host
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return ipReading(a), nil
	}
	host, why := normalHost(s)
	if why != "" {
		return Reading{}, unreadable(s, why)
	}
	return Reading{Type: TypeDomain, Text: host, Key: makeKey(tagDomain, []byte(host))}, nil
}

// normalHost brings a host name into its ASCII form, in lower case, without a
// trailing dot (RFC 1035 section 2.3.4 for the lengths), or says why not.
func normalHost(s string) (host, why string) {
	host, err := hostProfile.ToASCII(s)
	if err != nil {
		return "", "not a valid host name (IDNA)"
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 {
		return "", "longer than any host name"
	}
	labels := strings.Split(host, ".")
	if len(labels) < 2 {
		return "", "a host name has at least two labels"
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || l[0] == '-' || l[len(l)-1] == '-' {
			return "", "not a valid host name"
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", "neither a host name nor an IP address"
	}
	return host, ""
}

// readEmail reads an address without a display name. The local part is
// compared in lower case, as mail systems in practice do (RFC 5321 section 2.4
// leaves it to the receiving host).
func readEmail(s string) (Reading, error) {
	s = strings.TrimPrefix(s, "mailto:")
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], s[at+1:]
	if local == "" || len(local) > 64 || strings.ContainsAny(local, " \t\"<>(),:;@[]\\") {
		return Reading{}, unreadable(s, "not an e-mail address")
	}
	host, why := normalHost(domain)
	if why != "" {
		return Reading{}, unreadable(s, "not an e-mail address: "+why)
	}
	text := strings.ToLower(local) + "@" + host
	return Reading{Type: TypeEmail, Text: text, Key: makeKey(tagEmail, []byte(text))}, nil
}

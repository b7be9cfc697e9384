// Package api is a node's HTTP side for people and machines: the JSON under
// /api/v1 with its OpenAPI document, sign-in and sessions, tokens with scopes
// and quotas, server-sent events, and the built pages.
//
// Safe by default, in this order for each request: limits on bytes and time,
// the Host against an allow-list, the Origin, who is asking (a session cookie
// or a bearer token, never both), the CSRF header of a session's write, the
// scope, the quota, overload. Only /signin, the pages' static files and the
// OpenAPI document answer without a session or a token. Every error is an
// RFC 9457 problem document; none shows an operator's detail to a stranger.
//
// The package consumes what it shows through the small interfaces of Config;
// cmd/bongsu wires the rooms in. It keeps no book of its own: sessions live in
// memory (a restart signs everybody out), tokens in one file, the audit of who
// asked what in its own log (audit.go states what that log guarantees).
package api

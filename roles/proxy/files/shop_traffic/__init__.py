"""Controls the traffic of the shop's colours on the proxy host. Standard library only.

config    the configuration of the role: servers, sockets, directories
ring      the share of shoppers that each weight gives; pure
runtime   HAProxy's runtime API over its socket
statements  what each server states about itself: release, clock, metrics
memory    state that survives a restart: live colour, fallback, lease
drill     errors or a delay that HAProxy adds for a candidate
lease     a transient systemd timer that takes the traffic back
plan      which servers may carry traffic, and their weights; pure
commands  status, set, renew, release, promote, drain, ready
cli       the program, and its restricted access for an SSH key
"""

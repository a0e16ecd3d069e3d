"""Controls the traffic of the shop's colours on the proxy host. Standard library only.

config    what the role wrote: servers, sockets, directories
ring      which share of shoppers each weight brings; pure
runtime   HAProxy's runtime API over its socket
statements  what each server says of itself: release, clock, metrics
memory    what must survive a restart: live colour, fallback, lease
drill     errors or a delay that HAProxy adds for a candidate
lease     a transient systemd timer that takes the traffic back
plan      who may carry traffic, and the weights that do it; pure
commands  status, set, renew, release, promote, drain, ready
cli       the program, and the door that an SSH key opens
"""

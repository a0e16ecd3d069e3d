#!/bin/sh
# deploy.sh RELEASE COLOUR: install a commit on every host of a colour, and wait until it responds.
set -eu
release=$1 colour=$2
case $colour in
  blue) hosts="192.0.2.11" ;;
  green) hosts="192.0.2.12" ;;
esac

for host in $hosts; do
  git archive "$release" server.js | ssh "admin@$host" "
    set -eu
    sudo mkdir -p /opt/greeter/$release
    sudo tar -x -C /opt/greeter/$release
    sudo ln -sfn $release /opt/greeter/current
    sudo systemctl restart greeter
    curl --silent --show-error --fail --retry 30 --retry-delay 1 --retry-connrefused \\
      http://127.0.0.1:8000/health || {
      sudo journalctl --no-pager --lines=20 --unit=greeter # why it does not respond
      exit 1
    }
  "
done

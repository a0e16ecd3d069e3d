#!/bin/sh
# deploy.sh RELEASE COLOUR: install the settings of a commit on every host of a colour.
set -eu
release=$1 colour=$2
case $colour in
  blue) hosts="192.0.2.11" ;;
  green) hosts="192.0.2.12" ;;
esac

settings=$(git show "$release:settings.env")
for host in $hosts; do
  printf '%s\nRELEASE=%s\n' "$settings" "$release" | ssh "admin@$host" "
    set -eu
    sudo tee /etc/greeter/settings.env > /dev/null
    sudo systemctl restart greeter
    curl --silent --show-error --fail --retry 30 --retry-delay 1 --retry-connrefused \\
      http://127.0.0.1:8000/health || {
      sudo journalctl --no-pager --lines=20 --unit=greeter # why it does not respond
      exit 1
    }
  "
done

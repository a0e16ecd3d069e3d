-- The response times of each server: from a whole request to the header of its response, with
-- retries. HAProxy's own counters have no sum of times.
local responses, microseconds = {}, {}

core.register_action("note_time", {"http-res"}, function(txn)
  local server, took = txn:get_var("txn.server"), txn:get_var("txn.took")
  if server and took and took >= 0 then  -- the clock may have been set back
    responses[server] = (responses[server] or 0) + 1
    microseconds[server] = (microseconds[server] or 0) + took
  end
end)

core.register_cli({"show", "times"}, "show times: server, responses, microseconds", function(applet)
  for server, count in pairs(responses) do
    applet:send(string.format("%s %d %d\n", server, count, microseconds[server]))
  end
end)

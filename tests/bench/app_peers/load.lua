-- For wrk. Arguments: GET, or POST with a body, or IDS with a file of cart ids, each used once.
local mode, value, ids, at

function init(args)
  mode, value = args[1], args[2]
  wrk.headers["Content-Type"] = "application/json"
  if mode == "POST" then
    wrk.method, wrk.body = "POST", value
  elseif mode == "IDS" then
    ids, at = {}, 0
    for line in io.lines(value) do ids[#ids + 1] = line end
    wrk.method = "POST"
  end
end

function request()
  if mode ~= "IDS" then return wrk.format() end
  at = at + 1
  return wrk.format(nil, nil, nil, '{"id":"' .. ids[(at - 1) % #ids + 1] .. '"}')
end

function done(summary, latency)
  local bad = summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration, bad, latency:percentile(99)))
end

-- The delay of a drill, in milliseconds. HAProxy 2.6 has no action that waits.
core.register_action("drill_delay", {"http-res"}, function(txn)
  core.msleep(txn:get_var("proc.drill_delay"))
end)

# SPDX-License-Identifier: Apache-2.0
# Completions of connscope for fish.
set -l commands check-config show top events policy expose
set -l none "not __fish_seen_subcommand_from $commands"

complete -c connscope -f
complete -c connscope -n $none -a check-config -d "Check a config file"
complete -c connscope -n $none -a show -d "Show metrics"
complete -c connscope -n $none -a top -d "Follow failures and slowness"
complete -c connscope -n $none -a events -d "Follow single failures and outliers"
complete -c connscope -n $none -a policy -d "List and move policies"
complete -c connscope -n $none -a expose -d "Serve metrics that programs keep in Redis"
complete -c connscope -s h -l help -d "Print help and exit"
complete -c connscope -n $none -l version -d "Print the version and exit"
complete -c connscope -n $none -l config -r -F -d "Config file"
complete -c connscope -n $none -l web.listen-address -x -d "Address to serve on"
complete -c connscope -n $none -l web.telemetry-path -x -d "Path of the metrics"
complete -c connscope -n $none -l web.max-requests -x -d "Scrapes answered at the same time"
complete -c connscope -n $none -l log.level -x -a "trace debug info warn error off" -d "Least level of the log"
complete -c connscope -n $none -l log.format -x -a "text json" -d "Format of the log"
complete -c connscope -n "__fish_seen_subcommand_from check-config" -F
complete -c connscope -n "__fish_seen_subcommand_from show top events policy" -l socket -r -F -d "Control socket"
complete -c connscope -n "__fish_seen_subcommand_from show events policy" -l json -d "One JSON object a line"
complete -c connscope -n "__fish_seen_subcommand_from show" -l all -d "Also what is zero"
complete -c connscope -n "__fish_seen_subcommand_from show" -l histogram -d "Draw distributions"
complete -c connscope -n "__fish_seen_subcommand_from top" -l interval -x -d "Seconds between screens"
complete -c connscope -n "__fish_seen_subcommand_from top" -l once -d "Print one page and exit"
complete -c connscope -n "__fish_seen_subcommand_from events" -l process -x -d "Only of these processes"
complete -c connscope -n "__fish_seen_subcommand_from events" -l stage -x -a "dns tcp tls attempt" -d "Only of this stage"
complete -c connscope -n "__fish_seen_subcommand_from events" -l failures -d "Only failures"
complete -c connscope -n "__fish_seen_subcommand_from events" -l outliers -d "Only outliers"
complete -c connscope -n "__fish_seen_subcommand_from policy" -a "list show move report"
complete -c connscope -n "__fish_seen_subcommand_from expose" -l redis -x -d "Redis"
complete -c connscope -n "__fish_seen_subcommand_from expose" -l namespace -x -d "Hashes that hold metrics"

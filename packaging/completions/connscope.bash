# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completions of connscope for bash.

_connscope() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word words=''
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      check-config | show | top | events | policy | expose) command=$word && break ;;
    esac
  done
  case $previous in
    --config | --socket | check-config)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --log.level) words="trace debug info warn error off" ;;
    --log.format) words="text json" ;;
    --stage) words="dns tcp tls attempt" ;;
    --web.listen-address | --web.telemetry-path | --web.max-requests | --interval | --process | --redis | --namespace) return ;;
    policy) words="list show move report" ;;
    *)
      case $command in
        check-config) words="--help" ;;
        show) words="--help --socket --json --all --histogram" ;;
        top) words="--help --socket --interval --once" ;;
        events) words="--help --socket --process --stage --failures --outliers --json" ;;
        policy) words="--help --socket --json list show move report" ;;
        expose) words="--help --redis --namespace --config --web.listen-address" ;;
        *) words="check-config show top events policy expose --help --version --config --web.listen-address
          --web.telemetry-path --web.max-requests --log.level --log.format" ;;
      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _connscope connscope

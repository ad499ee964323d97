# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
#
# bash completion for transferctl

# The ids of jobs, of the service that the command line talks to.
_transferctl_jobs ()
{
  local word
  local -a bus=()
  for word in "${COMP_WORDS[@]}"; do
    case $word in --user | --system) bus=("$word") ;; esac
  done
  transferctl --quiet "${bus[@]}" list --full 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_transferctl ()
{
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local verbs='get put create add wait list status show files why log history reply monitor
    suspend resume complete cancel take-ownership set-property set-credentials remove-credentials help'
  local global='--user --system --json --quiet --help --version'
  local verb='' words=0 own='' i
  COMPREPLY=()

  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -* | =) ;;
      *)
        if [ -z "$verb" ]; then
          verb=${COMP_WORDS[i]}
        else
          words=$((words + 1))
        fi
        ;;
    esac
  done

  if [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  [ "$current" != = ] || current=
  case $previous in
    --priority) mapfile -t COMPREPLY < <(compgen -W 'foreground high normal low' -- "$current"); return ;;
    --protocol)
      mapfile -t COMPREPLY < <(compgen -W 'auto put post tus resumable bits' -- "$current")
      return
      ;;
    --target) mapfile -t COMPREPLY < <(compgen -W 'server' -- "$current"); return ;;
    --scheme) mapfile -t COMPREPLY < <(compgen -W 'basic digest' -- "$current"); return ;;
    --type) mapfile -t COMPREPLY < <(compgen -W 'download upload upload-reply' -- "$current"); return ;;
    --overwrite) mapfile -t COMPREPLY < <(compgen -W 'replace fail keep-both' -- "$current"); return ;;
    --state)
      mapfile -t COMPREPLY < <(compgen -W 'suspended queued connecting transferring transient-error
        error transferred acknowledged cancelled' -- "$current")
      return
      ;;
    --property) mapfile -t COMPREPLY < <(compgen -W "$(transferctl --list-properties)" -- "$current"); return ;;
    --from | --reply | --password-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --name | --digest | --login | --header | --mode | --since | --lines | --timeout) return ;;
  esac

  case $verb in
    get)
      own='--background --force --name --priority --digest --login --password-file --header
        --property'
      ;;
    put)
      own='--background --reply --force --protocol --name --priority --login --password-file --header
        --property'
      ;;
    set-credentials) own='--target --scheme --password-file' ;;
    remove-credentials) own='--target --scheme' ;;
    create) own='--type --property' ;;
    add) own='--digest --mode --from' ;;
    wait) own='--complete --timeout' ;;
    list) own='--all-users --state --name --full' ;;
    show) own='--property --value --all-users' ;;
    status | files | why) own='--all-users' ;;
    log) own='--lines --all-users' ;;
    history) own='--since --lines --full' ;;
    monitor) own='--all-users' ;;
    suspend | resume | cancel) own='--all --all-users' ;;
    complete) own='--all --all-users --require-all --overwrite' ;;
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$own $global" -- "$current")
    return
  fi

  case $verb in
    '' | help)
      mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$current")
      ;;
    get)
      [ "$words" = 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    put)
      [ "$words" != 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    add)
      case $words in
        0) mapfile -t COMPREPLY < <(compgen -W "$(_transferctl_jobs)" -- "$current") ;;
        1) ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
      esac
      ;;
    set-property)
      if [ "$words" = 0 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_transferctl_jobs)" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -S = -W "$(transferctl --list-properties)" -- "$current")
        compopt -o nospace
      fi
      ;;
    wait | status | show | files | why | log | reply | monitor | suspend | resume | complete | \
      cancel | take-ownership | set-credentials | remove-credentials)
      mapfile -t COMPREPLY < <(compgen -W "$(_transferctl_jobs)" -- "$current")
      ;;
  esac
}

complete -o filenames -F _transferctl transferctl

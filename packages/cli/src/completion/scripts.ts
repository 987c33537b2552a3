/**
 * The scripts that shells load. They are our own, because those of the library evaluate what was
 * typed, and let bash expand what was answered: a name from a coordinator would be run as a
 * command. Here the words typed are handed over as they are, and answers are only ever data.
 */
const BASH = `# bash completion for understudy: source <(understudy completion bash)
_understudy() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :0) compopt -o default 2>/dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(understudy complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _understudy understudy
`;

const ZSH = `#compdef understudy
# zsh completion for understudy: source <(understudy completion zsh)
_understudy() {
  local line files=0
  local -a values
  while IFS= read -r line; do
    case "$line" in
      :0) files=1 ;;
      :*) ;;
      *) values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(understudy complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( files )); then
    _files
  else
    _describe understudy values
  fi
}
compdef _understudy understudy
`;

const FISH = `# fish completion for understudy: understudy completion fish | source
function __understudy_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (understudy complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c understudy -f -a '(__understudy_complete)'
`;

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

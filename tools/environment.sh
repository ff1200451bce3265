# Sourced by the other tools: where things are, and how to say what went wrong.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hone
venv=$cache/venv
peers=$cache/peers

# The LibTorch folder in use, or nothing.
libtorch_folder() {
  local candidate
  for candidate in ${HONE_LIBTORCH:+"$HONE_LIBTORCH"} "$venv"/lib/python3.*/site-packages/torch; do
    if [ -f "$candidate/lib/libtorch_cpu.so" ]; then
      (cd "$candidate" && pwd)
      return
    fi
    if [ -n "${HONE_LIBTORCH:-}" ]; then return; fi
  done
}

# Python with transformers and tensorboard (tools/bootstrap --test), without GPU and network.
peer_python() {
  LD_LIBRARY_PATH=$peers/cuda CUDA_VISIBLE_DEVICES='' HF_HUB_OFFLINE=1 "$peers/bin/python" "$@"
}

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# fail WHAT [WHAT TO DO]...
fail() {
  say "error: $1"
  shift
  printf '  %s\n' "$@" >&2
  exit 1
}

# need_disk FOLDER GIGABYTES WHAT: FOLDER may not exist yet.
need_disk() {
  local folder=$1 free
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  free=$(df -Pk "$folder" | awk 'NR == 2 {print $4}')
  if [ "$free" -lt $(($2 * 1024 * 1024)) ]; then
    fail "disk full: $3 needs $2 GB in $1, and $((free / 1024 / 1024)) GB are free." \
      'Free some space and run this again; what is done already is kept.'
  fi
}

export PATH="$venv/bin:$PATH"
# Without this ccache refuses files that use a precompiled header.
export CCACHE_SLOPPINESS=pch_defines,time_macros

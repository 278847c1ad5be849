# SPDX-License-Identifier: LGPL-2.1-or-later
# starts.c, where KVM can do all that is asked for.
. "$(dirname "$0")/functions.sh"

kvm able
passes "starts" env LD_PRELOAD="${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_PLUGIN:$BZ_SEAMS" "$BZ_STARTS"
cat out
finish

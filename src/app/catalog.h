#pragma once

#include "base/fields.h"

namespace hone {

/// The one table of what is built in: environments, rewards, policies, stages. To add one, write its file and add a row.
const Catalogs& built_in();

}  // namespace hone

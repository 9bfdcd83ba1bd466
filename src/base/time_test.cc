#include "base/time.h"

#include <gtest/gtest.h>

namespace blixard {
namespace {

TEST(WallTime, is_written_as_rfc_3339_with_milliseconds) {
    EXPECT_EQ(to_rfc3339(WallTime{0}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339(WallTime{1795232400123}), "2026-11-21T03:40:00.123Z");
    EXPECT_EQ(to_rfc3339(WallTime{-1}), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace blixard

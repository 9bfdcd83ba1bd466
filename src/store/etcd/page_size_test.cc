#include "store/etcd/page_size.h"

#include <gtest/gtest.h>

namespace blixard::store {
namespace {

TEST(PageSize, small_values_make_long_pages) {
    PageSize size;
    EXPECT_EQ(size.keys(), 1000);
    size.learn(1000, 440 * 1000);
    EXPECT_EQ(size.keys(), 20'000);
}

TEST(PageSize, large_values_make_short_pages_and_small_ones_long_pages_again) {
    PageSize size;
    size.learn(1000, 64 * 1024 * 1000);
    EXPECT_EQ(size.keys(), 256);
    size.learn(256, 1024 * 1024 * 256);
    EXPECT_EQ(size.keys(), 100);
    size.learn(100, 440 * 100);
    EXPECT_EQ(size.keys(), 20'000);
}

TEST(PageSize, a_few_keys_say_nothing_of_many) {
    PageSize size;
    size.learn(1, 1024 * 1024);
    size.learn(0, 0);
    EXPECT_EQ(size.keys(), 1000);
}

}  // namespace
}  // namespace blixard::store

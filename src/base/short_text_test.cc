#include "base/short_text.h"

#include <gtest/gtest.h>

namespace blixard {
namespace {

TEST(ShortText, holds_what_it_is_given_and_nothing_of_before) {
    ShortText text;
    EXPECT_TRUE(text.empty());
    text = std::string(ShortText::kBytesMax, 'x');
    EXPECT_EQ(text.view(), std::string(ShortText::kBytesMax, 'x'));
    const ShortText copy = text;
    text = "a";
    EXPECT_EQ(text, "a");
    EXPECT_EQ(copy.size(), ShortText::kBytesMax);
    EXPECT_FALSE(text == copy);
    text = "";
    EXPECT_EQ(text, ShortText());
    EXPECT_EQ(ShortText(std::string_view("h1")).str(), "h1");
}

TEST(ShortTextDeathTest, more_than_it_holds_is_a_bug) {
    EXPECT_DEATH(ShortText(std::string(ShortText::kBytesMax + 1, 'x')), "kBytesMax");
}

}  // namespace
}  // namespace blixard

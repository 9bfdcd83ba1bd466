#include "cluster/passphrase_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cluster/test_cluster_files.h"
#include "os/unique_fd.h"

namespace blixard::cluster {
namespace {

constexpr const char* kWords = "correct horse battery";

class PassphraseFileTest : public testing::Test {
 protected:
    void write(std::string_view plain) {
        const os::UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
        auto writer = *PassphraseWriter::begin(fd.get(), kWords);
        for (std::size_t at = 0; at < plain.size(); at += 10'000)
            ASSERT_TRUE(writer->write(plain.substr(at, 10'000)));
        ASSERT_TRUE(writer->finish());
    }
    Result<std::string> read(std::string_view passphrase = kWords) {
        const os::UniqueFd fd(::open(path_.c_str(), O_RDONLY));
        ASSIGN_OR_RETURN(auto reader, PassphraseReader::begin(fd.get(), passphrase));
        std::string all;
        while (true) {
            ASSIGN_OR_RETURN(const std::string piece, reader->next());
            if (piece.empty()) return all;
            all += piece;
        }
    }
    std::string bytes() { return *os::read_file(path_); }
    void change(const std::string& bytes) { ASSERT_TRUE(os::write_file_atomically(path_, bytes)); }

    TestDirectory directory_;
    const std::string path_ = directory_ / "file";
};

TEST_F(PassphraseFileTest, what_was_written_is_read_whatever_its_length) {
    for (const std::size_t size : {0u, 1u, 65'535u, 65'536u, 65'537u, 200'000u}) {
        const std::string plain(size, 'x');
        write(plain);
        const auto read_back = read();
        ASSERT_TRUE(read_back) << size << ": " << read_back.error().message;
        EXPECT_EQ(*read_back, plain);
    }
}

TEST_F(PassphraseFileTest, nothing_of_it_stands_in_the_file) {
    write("the voter key");
    EXPECT_EQ(bytes().find("voter"), std::string::npos);
    const os::UniqueFd fd(::open(path_.c_str(), O_RDONLY));
    EXPECT_TRUE(is_passphrase_file(fd.get()));
}

TEST_F(PassphraseFileTest, another_passphrase_or_none_is_refused) {
    write("secret");
    EXPECT_EQ(read("correct horse batterx").error().code, ErrorCode::kDenied);
    EXPECT_EQ(read("").error().message, "the file is encrypted, and no passphrase was given");
}

TEST_F(PassphraseFileTest, a_short_passphrase_is_refused) {
    const os::UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT, 0600));
    EXPECT_EQ(PassphraseWriter::begin(fd.get(), "short").error().field, "passphrase");
}

TEST_F(PassphraseFileTest, a_changed_bit_a_lost_end_and_swapped_pieces_are_noticed) {
    write(std::string(200'000, 'x'));
    const std::string good = bytes();
    constexpr std::size_t kHead = 25 + 16, kPiece = 1 + 65'536 + 16;
    std::string changed = good;
    changed[kHead + 100] ^= 1;
    change(changed);
    EXPECT_FALSE(read());
    change(good.substr(0, kHead + 2 * kPiece));
    EXPECT_FALSE(read());
    change(good.substr(0, kHead) + good.substr(kHead + kPiece, kPiece) +
           good.substr(kHead, kPiece) + good.substr(kHead + 2 * kPiece));
    EXPECT_FALSE(read());
    changed = good.substr(0, kHead + kPiece);
    changed[kHead] = 1;  // "this was the last"
    change(changed);
    EXPECT_FALSE(read());
    change(good);
    EXPECT_TRUE(read());
}

}  // namespace
}  // namespace blixard::cluster

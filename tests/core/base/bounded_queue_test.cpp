#include "core/base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace moescope {
namespace {

TEST(BoundedQueue, GivesBackInOrder) {
  BoundedQueue<int> queue(3);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_EQ(queue.try_pop(), 2);
  EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(BoundedQueue, ARefusedPushChangesNothing) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  EXPECT_EQ(queue.dropped(), 0U);
  EXPECT_EQ(queue.drain(), (std::vector<int>{1, 2}));
}

TEST(BoundedQueue, DroppingTakesTheOldestAndCounts) {
  BoundedQueue<int> queue(2);
  for (int i = 1; i <= 5; ++i) queue.push_drop_oldest(i);
  EXPECT_EQ(queue.dropped(), 3U);
  EXPECT_EQ(queue.drain(), (std::vector<int>{4, 5}));
  EXPECT_TRUE(queue.drain().empty());
}

TEST(BoundedQueue, HoldsWhatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  queue.push_drop_oldest(std::make_unique<int>(1));
  queue.push_drop_oldest(std::make_unique<int>(2));
  EXPECT_EQ(**queue.try_pop(), 2);
}

TEST(BoundedQueue, WaitEndsWhenSomethingArrives) {
  BoundedQueue<int> queue(1);
  std::jthread sender([&] { queue.try_push(7); });
  // Returns at once when the item is already there; the generous limit only bounds a broken queue.
  for (int i = 0; i < 100; ++i) {
    queue.wait_for_item(std::chrono::milliseconds(100));
    if (const auto item = queue.try_pop()) {
      EXPECT_EQ(*item, 7);
      return;
    }
  }
  FAIL() << "nothing arrived";
}

TEST(BoundedQueue, WaitEndsByItselfWhenNothingArrives) {
  BoundedQueue<int> queue(1);
  queue.wait_for_item(std::chrono::milliseconds(1));
  EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(BoundedQueue, LosesAndInventsNothingBetweenThreads) {
  BoundedQueue<int> queue(8);
  constexpr int kItems = 20000;
  std::jthread producer([&] {
    for (int i = 0; i < kItems;) {
      if (queue.try_push(i)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (int expected = 0; expected < kItems;) {
    queue.wait_for_item(std::chrono::milliseconds(100));
    for (const int item : queue.drain()) ASSERT_EQ(item, expected++);
  }
}

}  // namespace
}  // namespace moescope

#pragma once
// A mutex Clang's -Wthread-safety understands; with other compilers the annotations vanish.

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define MOESCOPE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define MOESCOPE_THREAD_ANNOTATION(x)
#endif
#define MOESCOPE_GUARDED_BY(x) MOESCOPE_THREAD_ANNOTATION(guarded_by(x))
#define MOESCOPE_REQUIRES(x) MOESCOPE_THREAD_ANNOTATION(requires_capability(x))

namespace moescope {

class MOESCOPE_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() MOESCOPE_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() MOESCOPE_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class MOESCOPE_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) MOESCOPE_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() MOESCOPE_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace moescope

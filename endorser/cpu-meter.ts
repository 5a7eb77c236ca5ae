/** Share of one core this process used since it was last asked. */
export class CpuMeter {
  #atNs = process.hrtime.bigint();
  #usage = process.cpuUsage();
  #percent = 0;

  /** @returns percent of one core, 0 to some hundreds; refreshed at most ten times a second. */
  percent(): number {
    const nowNs = process.hrtime.bigint();
    const elapsedUs = Number((nowNs - this.#atNs) / 1000n);
    if (elapsedUs < 100_000) return this.#percent;
    const spent = process.cpuUsage(this.#usage);
    this.#percent = Math.round(((spent.user + spent.system) * 100) / elapsedUs);
    this.#atNs = nowNs;
    this.#usage = process.cpuUsage();
    return this.#percent;
  }
}
